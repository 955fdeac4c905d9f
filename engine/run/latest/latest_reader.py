"""The newest frames of a source, for a run: a LatestFrame that is read as a video is."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InputError
from ...images.limits import DEFAULT_LIMITS, Limits
from ..sources import Source
from ..video.frames import Frame, FrameReader
from .latest_frame import STALL_S, LatestFrame

_TICKS = 1_000_000  # a second, as frames come at any time


@dataclass(frozen=True, slots=True)
class Latest:
    """How a run takes the newest frames alone.

    Args:
        stall_s, reconnect: As in LatestFrame.
    """

    stall_s: float = STALL_S
    reconnect: bool = False


class LatestReader(FrameReader):
    """The newest frame of a source each time; blocks until there is one that was not given yet.

    Args:
        source: A camera, a stream or a video file.
        latest: What happens if it stalls or breaks.
        max_frames: Most frames to give; None gives them until the source ends.
        limits: Largest frame.

    Raises:
        InputError: It cannot be opened.
    """

    def __init__(
        self, source: Source, latest: Latest, *, max_frames: int | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        reconnect = latest.reconnect and source.kind == "camera"  # a file has an end
        self._latest = LatestFrame(source, stall_s=latest.stall_s, reconnect=reconnect, limits=limits)
        self._wrong: str | None = None
        super().__init__(max_frames=max_frames, fps=self._latest.fps, ticks=_TICKS, announced=None)

    def close(self) -> None:
        """Give the source back."""
        self._latest.close()

    def stop(self) -> None:
        """Make the frame that is being read the last, and wait for no other."""
        super().stop()
        self._latest.stop()

    def nothing(self) -> str:
        """Return what is wrong with a source that gave no frame."""
        return self._wrong or "gave no frame"

    def _read(self) -> Frame | None:
        if self._wrong is not None:
            return None
        try:
            return self._latest.next()
        except InputError as error:
            self._wrong = str(error).removeprefix(f"{self._latest.title} ")
            return None

    def _shortfall(self) -> str | None:
        return self._wrong
