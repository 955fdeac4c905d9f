"""A video file or a camera in; a depth video, or one depth file a frame, out."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..depth.depth import Depth
from ..depth.write import side_by_side
from ..errors import InputError
from ..model.depth_model import Answer, DepthModel, Prepared
from ..system.files import atomic_path, make_folder
from ..system.overlap import Outcome, overlap
from ..terms import Format
from .jobs import Job, Style
from .run_images import Written, save_all
from .sources import Source

FALLBACK_FPS = 30.0  # for cameras and files that do not say
_LACKING, _LACKING_FRAMES = 0.01, 3  # of a video's time: what lacks no more is whole
CODEC = "mp4v"  # MPEG-4 part 2: in every build of OpenCV and read by every player
_LARGEST_TICKS = 65535  # a second. Source: ISO/IEC 14496-2, vop_time_increment_resolution


class FrameReader:
    """The frames of a video file or camera, in order."""

    def __init__(self, source: Source, *, max_frames: int | None = None) -> None:
        # Absolute, or FFmpeg takes what stands before a colon for a protocol.
        place = int(source.name) if source.kind == "camera" else _for_opencv(Path(source.name).absolute())
        self._capture = cv2.VideoCapture(place)
        if not self._capture.isOpened():
            raise InputError(
                f"{_title(source)} cannot be opened as a video; check that it plays, or its index and rights"
            )
        self._camera = source.kind == "camera"
        frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        known = frames if source.kind == "video" and frames > 0 else None
        self.frames = min(known or max_frames, max_frames) if max_frames else known  # None: nobody knows
        self.stopped = False
        self._left = self._most = max_frames
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if np.isfinite(fps) and 0 < fps < 1000 else FALLBACK_FPS
        self._announced_s = known / self.fps if known else 0.0
        self._reached_s = 0.0

    def next(self) -> NDArray[np.uint8] | None:
        """Return the next frame (H, W, 3) uint8 BGR, or None after the last."""
        if self.stopped or self._left == 0:
            return None
        self._left = None if self._left is None else self._left - 1
        more, frame = self._capture.read()
        if not more:
            return None
        self._reached_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3  # 0 where a format does not say
        return np.asarray(frame, np.uint8)

    def shortfall(self, frames: int) -> str | None:
        """Return what is wrong with a source that ended by itself after `frames`, or None where it ended as it should.

        What counts is the time: of frames that come unevenly a file announces as many as even ones would be.
        """
        if self.stopped or frames == self._most:
            return None
        if self._camera:
            return f"gave no frame after {frames}; check its cable and its power"
        least_s = (1 - _LACKING) * self._announced_s - _LACKING_FRAMES / self.fps
        if not 0 < self._reached_s < least_s:
            return None
        reached = f"{frames} frames and {self._reached_s:.1f} of {self._announced_s:.1f} s"
        return f"ends after {reached}, what follows is cut off or damaged; copy it again"

    def stop(self) -> None:
        """Make the frame that is being read the last; from any thread, and from the handler of a signal."""
        self.stopped = True

    def close(self) -> None:
        """Give the file or the camera back."""
        self._capture.release()


class _End(Exception):
    """The video has no further frame."""


class _Unwritable(InputError):
    """A depth video cannot be gone on with: no further frame can help."""


def run_video(
    model: DepthModel, job: Job, reader: FrameReader, *, style: Style
) -> Generator[Outcome[int, Written], None, None]:
    """Yield the outcome of each frame, with its own files; the depth videos exist once the iterator has ended.

    An iterator that is closed before its end, or interrupted, leaves no video. A source that is cut off gives one error
    at its end; the depth of what could be read stays.

    Raises:
        InputError: No frame can be read, or a video cannot be written.
    """

    def read(index: int) -> tuple[int, NDArray[np.uint8], Prepared]:
        frame = reader.next()
        if frame is None:
            raise _End
        return index, frame, model.prepare(frame)

    def run(item: tuple[int, NDArray[np.uint8], Prepared]) -> tuple[int, NDArray[np.uint8], Answer]:
        index, frame, prepared = item
        return index, frame, model.run(prepared)

    with ExitStack() as stack:
        videos = [
            stack.enter_context(_DepthVideo(path, format, style, reader.fps)) for path, format in job.files.items()
        ]

        def write(item: tuple[int, NDArray[np.uint8], Answer]) -> Written:
            index, frame, answer = item
            depth = model.finish(answer)
            for video in videos:
                video.add(depth, frame)
            return save_all(depth, frame, job.frame_files(index), style)

        # Closed before the videos are, so that no thread still writes to them.
        for outcome in stack.enter_context(closing(overlap(count(), read=read, run=run, write=write))):
            if isinstance(outcome.error, _End):
                if outcome.item == 0:
                    raise InputError(f"{_title(job.source)} has no frame that can be decoded; check that it plays")
                if wrong := reader.shortfall(outcome.item):
                    yield Outcome(outcome.item, None, InputError(f"{_title(job.source)} {wrong}"))
                return
            if isinstance(outcome.error, _Unwritable) or (outcome.item == 0 and isinstance(outcome.error, InputError)):
                raise outcome.error  # what is wrong with the first frame is with all: its size, a place to write to
            yield outcome


class _DepthVideo:
    """A depth video being written: under a temporary name until it is whole."""

    def __init__(self, path: Path, format: Format, style: Style, fps: float) -> None:
        self._path, self._format, self._style, self._fps = path, format, style, fps
        self._writer: cv2.VideoWriter | None = None
        self._size_px = (0, 0)  # (w, h)
        self._frames = 0
        self._stack = ExitStack()

    def __enter__(self) -> _DepthVideo:
        make_folder(self._path.parent)
        self._temporary = self._stack.enter_context(atomic_path(self._path))
        self._stack.push(self._finish)
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._stack.__exit__(*error)  # type: ignore[arg-type]

    def add(self, depth: Depth, frame: NDArray[np.uint8]) -> None:
        """Append one frame."""
        picture = depth.colorize(colormap=self._style.colormap, value_range=self._style.value_range)
        if self._format == "side":
            picture = side_by_side(frame, picture)
        picture = _even(picture)
        size_px = (picture.shape[1], picture.shape[0])
        if self._writer is None:
            self._size_px = size_px
            place, codec = _for_opencv(self._temporary), cv2.VideoWriter.fourcc(*CODEC)
            self._writer = cv2.VideoWriter(place, codec, _writable_fps(self._fps), size_px)
            if not self._writer.isOpened():
                raise _Unwritable(
                    f"{self._path} cannot be written as a {CODEC} video; use --format npz for single frames"
                )
        if size_px != self._size_px:
            raise _Unwritable(
                f"{self._path}: frame {self._frames} of {size_px} px (w, h) found after frames of {self._size_px}, "
                "which one video cannot hold; use --format npz for single frames"
            )
        self._writer.write(picture)
        self._frames += 1

    def _finish(self, kind: type[BaseException] | None, *error: object) -> None:
        """Close the file; OpenCV says nothing of what a full disk swallowed, so the frames are counted."""
        if self._writer is None:
            if kind is None:
                raise InputError(f"{self._path} is not written: every frame failed")
            return
        self._writer.release()
        if kind is not None:
            return
        written = cv2.VideoCapture(_for_opencv(self._temporary))
        frames = int(written.get(cv2.CAP_PROP_FRAME_COUNT)) if written.isOpened() else 0
        written.release()
        if frames != self._frames:
            raise InputError(
                f"{self._path} cannot be written: it held {frames} of {self._frames} frames; is the disk full?"
            )


def _writable_fps(fps: float) -> float:
    """Return the nearest frame rate that MPEG-4 holds: OpenCV writes decimals as ticks a second."""
    return round(fps, int(math.log10(_LARGEST_TICKS / fps)))


def _for_opencv(path: Path) -> str:
    """Return a path as OpenCV takes it, which crashes on any that is no Unicode."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{path} is not UTF-8, which a video's path must be; rename it") from error
    return str(path)


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture of even sides, its last row and column repeated: the codec would cut odd ones off."""
    rows, columns = picture.shape[0] % 2, picture.shape[1] % 2
    if not rows and not columns:
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, rows, 0, columns, cv2.BORDER_REPLICATE), np.uint8)


def _title(source: Source) -> str:
    return f"camera {source.name}" if source.kind == "camera" else source.name
