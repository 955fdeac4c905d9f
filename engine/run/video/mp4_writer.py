"""Pictures and their times in, an MP4 file out that browsers and players show; encoded with PyAV.

The codec is H.264, which all of them play. PyAV's wheels (BSD licence) bring an FFmpeg with libx264, which is under the
GPL: depthrt names the encoder and neither links nor ships it, pip takes it from PyAV. Who passes on depthrt together
with PyAV's wheels passes on GPL code; with an FFmpeg that has no libx264 the file is VP9 by libvpx (BSD licence), which
browsers play too.

libx264's fastest preset at its own quality, against OpenCV's writer (MPEG-4 part 2, which no browser plays), for 60
pictures of the default model's depth of a moving 640x480 photograph, two cores, medians of interleaved turns: 0.82
times the bytes and 1.5 times the CPU time, beside the photograph 0.67 and 1.3 times, with less error in both. The
preset "veryfast" gives 0.54 and 0.38 times the bytes for 4.6 and 3.7 times the CPU time, which the network needs.
A whole run of the default model over 720p takes 1.02 times as long as with OpenCV, reading included.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...system.closable import Closable
from ...system.cores import usable_cores

if TYPE_CHECKING:
    from av import VideoStream

# The first that FFmpeg has is used. A key frame every 60 frames lets a player jump.
ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"preset": "ultrafast", "crf": "23", "g": "60"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "24", "b": "0", "row-mt": "1", "g": "60"},
}
_LEAST_FPS, _MOST_PARTS = 1e-4, 1_000_000  # of a frame rate as a fraction; libx264 refuses 1e-6
_LARGEST_PX = 16384  # a side that libx264 takes
_BT709 = 1  # matrix, primaries and transfer alike. Source: ITU-T H.273, tables 2 to 4
_LIMITED_RANGE = 1  # Source: FFmpeg, libavutil/pixfmt.h, AVCOL_RANGE_MPEG


class UnwritableVideo(InputError):
    """A video cannot be gone on with: no further picture can help."""


class Mp4Writer(Closable):
    """Writes an MP4 file, picture by picture.

    Args:
        path: The file; half of it exists if this fails.
        size_px: (h, w) of every picture; both even, as H.264 keeps colour at half the size.
        fps: Pictures per second, about; for players that show it.
        ticks: Parts of a second in which times are written.
        name: What messages call the file.

    Raises:
        UnwritableVideo: FFmpeg has no encoder that browsers play, or the encoder or the disk refuses.
    """

    def __init__(self, path: Path, size_px: tuple[int, int], *, fps: float, ticks: int, name: str) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._path, self._name, self._ticks = path, name, ticks
        self._frames = 0
        self._usual_s = 1 / max(fps, _LEAST_FPS)
        self._last = -1  # tick of the last picture
        self._errors = (av.FFmpegError, OSError)
        self._reformatter = VideoReformatter()
        if max(size_px) > _LARGEST_PX:
            raise UnwritableVideo(
                f"{name} cannot be written: pictures of {size_px[0]}x{size_px[1]} px (HxW) found, "
                f"a video has at most {_LARGEST_PX} px a side; use --format npz for single frames"
            )
        encoder = _find_encoder(name)
        with self._refused():
            # The index goes to the front, so that a browser plays before it has the whole file.
            self._container = av.open(str(path.absolute()), "w", options={"movflags": "+faststart"})
            rate = Fraction(1 / self._usual_s).limit_denominator(_MOST_PARTS)
            stream = self._container.add_stream(encoder, rate=rate, options=ENCODERS[encoder])
        assert isinstance(stream, av.VideoStream)  # what the encoders are for
        _set_up(stream, size_px, ticks)
        self._stream = stream

    def add(self, picture: NDArray[np.uint8], time_s: float) -> None:
        """Append a picture.

        Args:
            picture: (H, W, 3) uint8, BGR.
            time_s: When it is shown; it is moved to a tick after the picture before unless it is later.

        Raises:
            UnwritableVideo: The encoder or the disk refuses.
        """
        import av

        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(picture, "bgr24"),
            format="yuv420p",
            dst_colorspace=_BT709,
            dst_color_range=_LIMITED_RANGE,
        )
        self._last = max(round(time_s * self._ticks), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, self._ticks)
        with self._refused():
            self._container.mux(self._stream.encode(frame))
        self._frames += 1

    def finish(self, last_s: float | None = None) -> None:
        """Write what is left, close the file and see that it holds every picture.

        Args:
            last_s: How long the last picture is shown; None for as long as pictures are shown on average.

        Raises:
            UnwritableVideo: The encoder or the disk refuses.
        """
        with self._refused():
            for packet in self._stream.encode(None):
                if packet.pts == self._last:
                    packet.duration = max(round((last_s or self._usual_s) * self._ticks), 1)
                self._container.mux(packet)
            self._container.close()
        if (held := _frames_in(self._path)) != self._frames:
            raise UnwritableVideo(
                f"{self._name} cannot be written: it held {held} of {self._frames} frames; is the disk full?"
            )

    def close(self) -> None:
        """Close the file as it is."""
        with suppress(*self._errors):
            self._container.close()

    @contextmanager
    def _refused(self) -> Iterator[None]:
        """Turn an error of FFmpeg into an UnwritableVideo that names the file."""
        try:
            yield
        except self._errors as error:
            reason = getattr(error, "strerror", None) or error
            raise UnwritableVideo(
                f"{self._name} cannot be written: {reason} after {self._frames} frames; check that the disk has room, "
                "or use --format npz for single frames"
            ) from error


def _find_encoder(name: str) -> str:
    """Return the encoder to use."""
    import av

    for encoder in ENCODERS:
        if encoder in av.codecs_available:
            return encoder
    raise UnwritableVideo(
        f"{name} cannot be written: PyAV's FFmpeg has none of the encoders {', '.join(ENCODERS)}; "
        "install PyAV's wheel (pip install av), or use --format npz for single frames"
    )


def _set_up(stream: VideoStream, size_px: tuple[int, int], ticks: int) -> None:
    """Set what an encoder needs to know before its first picture."""
    stream.height, stream.width = size_px
    stream.pix_fmt = "yuv420p"  # the only layout that every browser decodes
    context = stream.codec_context
    context.time_base = Fraction(1, ticks)
    context.thread_count = usable_cores()
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE


def _frames_in(path: Path) -> int:
    """Return how many frames the index of a file lists; 0 if it cannot be read."""
    import av

    try:
        with av.open(str(path.absolute())) as container:
            return container.streams.video[0].frames
    except (av.FFmpegError, OSError, IndexError):
        return 0
