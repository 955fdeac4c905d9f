"""A picture that shows an augmented frame to people."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry.plane import Float64

Image = NDArray[np.uint8]
_SIDE_PX = 640  # longer side of a tile
_GAP_PX = 6
_UNKNOWN_BGR = (128, 128, 128)
_PERCENTILES = (1, 99)  # of the inverse depth, which get the ends of the colours


def preview(image: Image, before: Float64, after: Float64) -> Image:
    """Return four tiles: the edited image, the edited depth in colours, and below the depth before and after in gray.

    Args:
        image: (H, W, 3) uint8, BGR, edited.
        before, after: (h, w), inverse depth; 0 is infinitely far, NaN unknown.
    """
    known = after[np.isfinite(after)]
    low, high = np.percentile(known, _PERCENTILES) if known.size else (0.0, 1.0)
    scale = _SIDE_PX / max(image.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in image.shape[1::-1])  # (w, h)
    tiles = [
        cv2.resize(image, size, interpolation=cv2.INTER_AREA),
        _tile(after, low, high, size, colours=True),
        _tile(before, low, high, size, colours=False),
        _tile(after, low, high, size, colours=False),
    ]
    padded = [cv2.copyMakeBorder(tile, 0, _GAP_PX, 0, _GAP_PX, cv2.BORDER_CONSTANT, value=(255,) * 3) for tile in tiles]
    return np.asarray(cv2.vconcat([cv2.hconcat(padded[:2]), cv2.hconcat(padded[2:])]), np.uint8)


def _tile(inverse: Float64, low: float, high: float, size: tuple[int, ...], *, colours: bool) -> Image:
    level = np.clip((inverse - low) / max(high - low, 1e-12), 0, 1)
    gray = np.nan_to_num(level * 255).astype(np.uint8)
    tile = cv2.applyColorMap(gray, cv2.COLORMAP_TURBO) if colours else cv2.merge([gray] * 3)
    tile[np.isnan(inverse)] = _UNKNOWN_BGR
    return np.asarray(cv2.resize(tile, size, interpolation=cv2.INTER_NEAREST), np.uint8)
