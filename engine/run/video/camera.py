"""Cameras, read with OpenCV, which knows them by an index on every system; PyAV needs each system's own names."""

from __future__ import annotations

from time import monotonic

import cv2
import numpy as np

from ...errors import InputError
from ..sources import Source
from .frames import Frame, FrameReader, title_of

_TICKS = 1000  # a second; no camera keeps its times better


class CameraReader(FrameReader):
    """The frames of a camera until it is stopped.

    Args:
        source: A camera.
        max_frames: Most frames to give; None gives them without end.

    Raises:
        InputError: The camera cannot be opened.
    """

    def __init__(self, source: Source, *, max_frames: int | None = None) -> None:
        self._capture = cv2.VideoCapture(int(source.name))
        if not self._capture.isOpened():
            raise InputError(f"{title_of(source)} cannot be opened; check its index, its cable and your rights")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        super().__init__(max_frames=max_frames, fps=fps, ticks=_TICKS, announced=None)
        self._start_s: float | None = None
        self._last_s = 0.0

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()

    def nothing(self) -> str:
        """Return what is wrong with a camera that gave no frame."""
        return "gave no frame; check its cable, and that no other program uses it"

    def _read(self) -> Frame | None:
        more, image = self._capture.read()
        if not more:
            return None
        now_s = monotonic()
        if self._start_s is None:
            self._start_s = now_s
        else:
            self._last_s = max(now_s - self._start_s, self._last_s + 1 / _TICKS)
        return Frame(np.asarray(image, np.uint8), self._last_s)

    def _shortfall(self) -> str:
        return f"gave no frame after {self.given}; check its cable and its power"
