"""Bilinear resizes as torch's interpolate(mode="bilinear", antialias=False) computes them, of an image and of depth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .taps import BilinearMode, Float32, bilinear_taps, corner_taps, mirrored

BAND_ROWS = 32  # output rows per band


def corner_bands(
    image: NDArray[np.uint8], size_px: tuple[int, int], margin_px: tuple[int, int] = (0, 0)
) -> Iterator[Float32]:
    """Yield the rows of an image (H, W, 3), mirrored around by a margin, resized to size_px (h, w), band by band.

    As align_corners=True, float32, [0, 255]. The mirrored image is never made, and only the pixels that count are read.
    Source: ZoeDepth, zoedepth/models/depth_model.py (_infer_with_pad_aug) and base_models/midas.py (Resize)
    """
    upper, lower, down = _mirrored_taps(image.shape[0], margin_px[0], size_px[0])
    left, right, across = _mirrored_taps(image.shape[1], margin_px[1], size_px[1])
    for first in range(0, size_px[0], BAND_ROWS):
        rows = slice(first, first + BAND_ROWS)
        above = _between(image.take(upper[rows], axis=0), left, right, across)
        below = _between(image.take(lower[rows], axis=0), left, right, across)
        below -= above
        below *= down[rows, None, None]
        above += below
        yield above


def resize_bilinear(
    values: Float32, size_px: tuple[int, int], margin_px: tuple[int, int] = (0, 0), *, mode: BilinearMode
) -> Float32:
    """Resize (h, w) to size_px and a margin around it, and return it without the margin: (H, W) float32.

    Args:
        mode: "bilinear_corners" is align_corners=True, "bilinear_centres" align_corners=False.
    """
    (height, width), (top, side) = size_px, margin_px
    framed_px = (height + 2 * top, width + 2 * side)
    if values.shape == framed_px:
        return np.array(values[top : top + height, side : side + width], np.float32)
    left, right, across = (taps[side : side + width] for taps in bilinear_taps(values.shape[1], framed_px[1], mode))
    wide = values[:, left]  # (h, W)
    wide += (values[:, right] - wide) * across
    upper, lower, down = (taps[top : top + height] for taps in bilinear_taps(values.shape[0], framed_px[0], mode))
    resized = np.empty(size_px, np.float32)
    for first in range(0, height, BAND_ROWS):
        rows = slice(first, first + BAND_ROWS)
        above = wide[upper[rows]]
        below = wide[lower[rows]]
        below -= above
        below *= down[rows, None]
        np.add(above, below, out=resized[rows])
    return resized


def _mirrored_taps(side: int, margin: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Float32]:
    """Return the taps of a row with a margin as indices of the row itself."""
    first, second, weight = corner_taps(side + 2 * margin, target)
    return mirrored(first - margin, side), mirrored(second - margin, side), weight


def _between(rows: NDArray[np.uint8], left: NDArray[np.intp], right: NDArray[np.intp], across: Float32) -> Float32:
    """Return (rows, w, 3) float32 between two columns of (rows, W, 3)."""
    near = rows.take(left, axis=1).astype(np.float32)
    far = rows.take(right, axis=1).astype(np.float32)
    far -= near
    far *= across[:, None]
    near += far
    return near
