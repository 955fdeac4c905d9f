"""The frames of a video or a camera, with their times."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...system.closable import Closable
from ..sources import Source

FALLBACK_FPS = 30.0  # of cameras and files that state none


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame and its time.

    Args:
        image: (H, W, 3) uint8, BGR, upright, with square pixels.
        time_s: When a file shows it, from the start of the file; when a camera gave it, from its first frame.
        stamp_ns: The source's own stamp in nanoseconds; None if it has none.
    """

    image: NDArray[np.uint8]
    time_s: float
    stamp_ns: int | None = None


class FrameReader(Closable):
    """The frames of a source, in order, each later than the one before.

    Args:
        max_frames: Most frames to give; None gives all.
        fps: Frames per second, on average or as announced; None if it is unknown.
        ticks: Parts of a second in which the source counts.
        announced: Number of frames that the source announces, about; None if it is unknown.
    """

    def __init__(self, *, max_frames: int | None, fps: float | None, ticks: int, announced: int | None) -> None:
        self.fps = fps if fps is not None and math.isfinite(fps) and fps > 0 else FALLBACK_FPS
        self.ticks = ticks
        self.frames = announced if max_frames is None else min(announced or max_frames, max_frames)
        self.given = 0
        self._most = max_frames
        self._stopped = False

    def next(self) -> Frame | None:
        """Return the next frame, or None after the last; blocks."""
        if self._stopped or self.given == self._most:
            return None
        frame = self._read()
        self.given += frame is not None
        return frame

    def stop(self) -> None:
        """Make the frame that is being read the last; from any thread, and from the handler of a signal."""
        self._stopped = True

    def shortfall(self) -> str | None:
        """Return what is wrong with a source that has given its last frame, or None if it ended as it should."""
        return None if self._stopped or self.given == self._most else self._shortfall()

    def last_length_s(self) -> float | None:
        """Return how long the source shows its last frame; None if that is unknown, or the frame was not reached."""
        return None if self._stopped or self.given == self._most else self._last_length_s()

    @abstractmethod
    def nothing(self) -> str:
        """Return what is wrong with a source that gave no frame at all."""

    @abstractmethod
    def _read(self) -> Frame | None:
        """Return the next frame, or None after the last."""

    @abstractmethod
    def _shortfall(self) -> str | None:
        """Return what is wrong with a source that ended by itself."""

    def _last_length_s(self) -> float | None:
        """Return how long a source that ended by itself shows its last frame, or None."""
        return None


def title_of(source: Source) -> str:
    """Return what messages call a video, a camera or a stream."""
    is_camera = source.kind == "camera" and not source.is_stream
    return f"camera {source.name}" if is_camera else source.title
