"""Streams with an address (RTSP, HTTP, RTMP, UDP and more), read with PyAV, each frame as soon as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError
from ...images.limits import DEFAULT_LIMITS, Limits
from ..sources import Source
from .frames import title_of
from .video_file import VideoFileReader, find_pictures

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

OPEN_S = 10.0  # most time to connect
_OPTIONS = {
    "fflags": "nobuffer",  # frames that were read to find the streams are not held back
    "rtsp_transport": "tcp",  # over UDP, lost packets become broken pictures
}


class StreamReader(VideoFileReader):
    """The frames of a stream until it is stopped or breaks.

    Args:
        source: A camera with an address.
        max_frames: Most frames to give; None gives them without end.
        limits: Largest frame.
        timeout_s: After so long without data the stream counts as broken.

    Raises:
        InputError: It cannot be opened in OPEN_S, or is no video.
    """

    def __init__(
        self,
        source: Source,
        *,
        max_frames: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
        timeout_s: float = OPEN_S,
    ) -> None:
        self._timeout_s = timeout_s
        super().__init__(source, max_frames=max_frames, limits=limits)
        self.frames = max_frames  # a stream without an end may announce one

    def nothing(self) -> str:
        """Return what is wrong with a stream that gave no frame."""
        return f"gave no frame within {self._timeout_s:g} s; check that it plays, and its network"

    def _open(self, source: Source) -> tuple[InputContainer, VideoStream]:
        """Open the stream and find its pictures."""
        import av

        try:
            container = av.open(source.name, options=_OPTIONS, timeout=(OPEN_S, self._timeout_s))
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise InputError(
                f"{title_of(source)} cannot be opened ({reason}); check its address, your rights and the network"
            ) from None  # FFmpeg's own words hold the address with its password
        stream = find_pictures(container, source)
        stream.thread_type = "SLICE"  # with a thread for each frame, frames come as many frames later
        return container, stream

    def _shortfall(self) -> str:
        return f"broke off after {self.given} frames; check that it plays, and its network"

    def _last_length_s(self) -> float | None:
        return None
