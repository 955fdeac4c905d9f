"""Resize of an image in uint8 and in two steps, as Depth Anything 3 does it."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray


def area_bands(
    image: NDArray[np.uint8], first_px: tuple[int, int], size_px: tuple[int, int]
) -> Iterator[NDArray[np.uint8]]:
    """Yield an image (H, W, 3) resized to first_px and then to size_px (h, w) as one band, uint8.

    Source: Depth-Anything-3, src/depth_anything_3/utils/io/input_processor.py (_resize_longest_side,
    _make_divisible_by_resize)
    """
    yield _step(_step(image, first_px), size_px)


def _step(image: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image at size_px: the mean of the pixels that fall together; cubic, if any side grows."""
    height, width = image.shape[:2]
    if (height, width) == size_px:
        return image
    grows = size_px[0] > height or size_px[1] > width
    how = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, size_px[::-1], interpolation=how), np.uint8)  # (w, h) for OpenCV
