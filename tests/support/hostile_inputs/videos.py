"""Damaged videos of several containers and codecs."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import av
from made_video import write_video

from depthrt.engine.run.sources import Source
from depthrt.engine.run.video.video_file import VideoFileReader

from .damage import DamagedFiles
from .trials import Made, Outcome, WrongAnswer

FRAMES = 24
_WHOLE = 4  # frames that a file may lack without a word: its times are no finer
_FILES = {
    "h264.mp4": ("libx264", "yuv420p"),
    "h264.mkv": ("libx264", "yuv420p"),
    "h264.ts": ("libx264", "yuv420p"),
    "mpeg4.avi": ("mpeg4", "yuv420p"),
    "mjpeg.avi": ("mjpeg", "yuvj420p"),
    "vp9.webm": ("libvpx-vp9", "yuv420p"),
    "hevc.mp4": ("libx265", "yuv420p"),
    "prores.mov": ("prores_ks", "yuv422p10le"),
}


class DamagedVideos(DamagedFiles):
    """A video with bytes damaged: all its frames, a shortfall that is told, or refused."""

    name: ClassVar[str] = "videos"
    share: ClassVar[float] = 0.1

    def __init__(self, folder: Path, work: Path) -> None:
        super().__init__(folder, work)
        self._good = {name: (folder / name).read_bytes() for name in _FILES}

    @classmethod
    def prepare(cls, folder: Path) -> None:
        for name, (codec, layout) in _FILES.items():
            ticks = 24 if name.endswith("avi") else 1000
            times_s = [number / 24 for number in range(FRAMES)]
            write_video(folder / name, times_s, codec=codec, layout=layout, ticks=ticks, fps=24)

    def answer(self, made: Made) -> Outcome:
        name, how, data = made
        path = self.work / name
        path.write_bytes(data)
        with VideoFileReader(Source(str(path), "video", Path("x")), max_frames=20 * FRAMES) as reader:
            count, last_s = 0, -1.0
            while (frame := reader.next()) is not None:
                if not frame.time_s > last_s or frame.image.ndim != 3:
                    raise WrongAnswer(f"frame {count} at {frame.time_s} s after {last_s} s")
                count, last_s = count + 1, frame.time_s
            told = reader.shortfall()
        if count == 0:
            return "refused"  # by what reads it
        if told is None and count < _promised(path, how) - _WHOLE:
            raise WrongAnswer(f"{count} of {FRAMES} frames and no word ({how})")
        return "right"


def _promised(path: Path, how: str) -> int:
    """Return the number of frames that a file promises; a transport stream announces no length."""
    return FRAMES if how.startswith("cut") and path.suffix != ".ts" else _packets(path)


def _packets(path: Path) -> int:
    """Return the number of packets that are shown: the edit list of a damaged file may leave some out."""
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        shown = 0
        try:
            for packet in container.demux(stream):
                shown += packet.size > 0 and not packet.is_discard
        except av.FFmpegError:
            pass
        return shown
