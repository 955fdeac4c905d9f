"""Cubic resizes as cv2.INTER_CUBIC computes them: of an image in float64, of depth in float32. Neither clips.

They run in bands of rows: a photograph of 100 megapixels needs 20 MiB, its depth what it takes itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .taps import Float32, cubic_taps

IMAGE_ROWS = 32  # output rows per band; 16 to 64 were equally fast at 640x480 to 4000x3000
DEPTH_ROWS = 128  # 32 to 512 were equally fast at 640x480 to 4000x3000


def cubic_bands(image: NDArray[np.uint8], size_px: tuple[int, int]) -> Iterator[NDArray[np.float64]]:
    """Yield the rows of an image (H, W, 3) resized to size_px (h, w), band by band, float64, [0, 255] and a bit over.

    Equal to 1e-8 to cv2.resize of the image in float64.
    Source: Depth-Anything-V2, depth_anything_v2/util/transform.py and dpt.py (image2tensor); MiDaS does the same.
    """
    for first in range(0, size_px[0], IMAGE_ROWS):
        yield _image_band(image, size_px, first, min(first + IMAGE_ROWS, size_px[0]))


def resize_bicubic(values: Float32, size_px: tuple[int, int], margin_px: tuple[int, int] = (0, 0)) -> Float32:
    """Resize (h, w) to size_px and a margin around it, and return it without the margin: (H, W) float32.

    Within 1e-5 of the range of torch's interpolate(mode="bicubic", align_corners=False), which MiDaS and ZoeDepth use;
    that computes positions in float32 in another order. Values may be a little beyond the range of the input.
    """
    (height, width), (above, left) = size_px, margin_px
    framed_px = (height + 2 * above, width + 2 * left)
    if values.shape == framed_px:
        return np.array(values[above : above + height, left : left + width], np.float32)
    rows, weights = cubic_taps(values.shape[0], framed_px[0], rounded=False)
    rows, weights = rows[above : above + height], weights[above : above + height]
    resized = np.empty(size_px, np.float32)
    for first in range(0, height, DEPTH_ROWS):
        last = min(first + DEPTH_ROWS, height)
        band = values[rows[first:last, 0]] * weights[first:last, 0, None]  # (rows, w)
        for tap in range(1, 4):
            band += values[rows[first:last, tap]] * weights[first:last, tap, None]
        wide = cv2.resize(band, (framed_px[1], last - first), interpolation=cv2.INTER_CUBIC)  # (w, h) for OpenCV
        resized[first:last] = wide[:, left : left + width]
    return resized


def _image_band(image: NDArray[np.uint8], size_px: tuple[int, int], first: int, last: int) -> NDArray[np.float64]:
    """Return rows first to last (exclusive) of the resized image; all other memory is free before it is used."""
    rows, weights32 = cubic_taps(image.shape[0], size_px[0], rounded=True)
    rows, weights = rows[first:last], weights32[first:last].astype(np.float64)
    band = image[rows[:, 0]] * weights[:, 0, None, None]  # (rows, W, 3) float64
    for tap in range(1, 4):
        band += image[rows[:, tap]] * weights[:, tap, None, None]
    # The height does not change here, so cv2's cubic only works along the rows.
    resized = cv2.resize(band, (size_px[1], last - first), interpolation=cv2.INTER_CUBIC)  # (w, h) for OpenCV
    return np.asarray(resized, np.float64)
