"""Resizes of an image in uint8 as Pillow computes them, which the processors of transformers use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PillowResize = Literal["cubic_uint8", "bilinear_uint8", "lanczos_uint8"]

_FILTERS: dict[PillowResize, Image.Resampling] = {
    "cubic_uint8": Image.Resampling.BICUBIC,
    "bilinear_uint8": Image.Resampling.BILINEAR,
    "lanczos_uint8": Image.Resampling.LANCZOS,
}


def pillow_bands(
    image: NDArray[np.uint8], size_px: tuple[int, int], resize: PillowResize
) -> Iterator[NDArray[np.uint8]]:
    """Yield an image (H, W, 3) resized to size_px (h, w) as one band, uint8.

    Pillow does it, channel by channel: equal bit for bit to all three at once, and Pillow then reads the pixels where
    they are, while its copy of a colour image takes 4 bytes a pixel. The order of its two passes, which rounds to uint8
    in between, depends on the sizes and on Pillow's version, so they are not made here in bands.
    """
    resized = np.empty((*size_px, 3), np.uint8)
    for channel in range(3):
        resized[:, :, channel] = _resized(image[:, :, channel], size_px, _FILTERS[resize])
    yield resized


def _resized(channel: NDArray[np.uint8], size_px: tuple[int, int], how: Image.Resampling) -> NDArray[np.uint8]:
    """Return a channel (H, W) at size_px; its copy in one piece is free again then."""
    plane = Image.fromarray(np.ascontiguousarray(channel))
    return np.asarray(plane.resize(size_px[::-1], how), np.uint8)  # (w, h) for Pillow
