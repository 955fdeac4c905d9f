"""Which share of each pixel a polygon covers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry.plane import Box, Float64

_FINE = 4  # points per pixel, on a side
_HALF = 128
_SHIFT = 8  # fractional bits of OpenCV's polygons
_FARTHEST_PX = 30_000.0  # OpenCV's coordinates are 32 bits with the fraction

Share = NDArray[np.float32]


def box_of(polygon: Float64, size_px: tuple[int, int], *, margin: int = 2) -> Box | None:
    """Return the box around a polygon (n, 2), within an image; None if it is outside."""
    low, high = np.floor(polygon.min(0)).astype(int) - margin, np.ceil(polygon.max(0)).astype(int) + margin + 1
    box = Box(max(0, low[1]), min(size_px[0], high[1]), max(0, low[0]), min(size_px[1], high[0]))
    return box if box.height > 0 and box.width > 0 else None


def coverage(polygons: Sequence[Float64], box: Box) -> Share:
    """Return the share of each pixel of a box within polygons (n, 2), (box.height, box.width) float32 in [0, 1]."""
    fine = np.zeros((box.height * _FINE, box.width * _FINE), np.uint8)
    for polygon in polygons:
        shifted = (np.clip(polygon, -_FARTHEST_PX, _FARTHEST_PX) - (box.left, box.top) + 0.5) * _FINE - 0.5
        points = [np.rint(shifted * (1 << _SHIFT)).astype(np.int32)]
        cv2.fillPoly(fine, points, 255, shift=_SHIFT)
        cv2.polylines(fine, points, True, _HALF, shift=_SHIFT)  # fillPoly counts every point that the outline touches
    shares = cv2.resize(fine, (box.width, box.height), interpolation=cv2.INTER_AREA)  # (w, h)
    return np.asarray(shares, np.float32) / np.float32(255)


def covered(polygon: Float64, size_px: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels (h, w) whose centres are within a polygon, or nearly; fast."""
    mask = np.zeros(size_px, np.uint8)
    cv2.fillPoly(mask, [np.rint(np.clip(polygon, -_FARTHEST_PX, _FARTHEST_PX) * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(np.bool_)
