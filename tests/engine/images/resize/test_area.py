from __future__ import annotations

import cv2
import numpy as np
import pytest

from depthrt.engine.images.resize.area import area_bands


@pytest.mark.parametrize(
    ("image_px", "first_px", "size_px", "how"),
    [
        ((480, 640), (378, 504), (378, 504), (cv2.INTER_AREA, None)),
        ((300, 400), (378, 504), (378, 504), (cv2.INTER_CUBIC, None)),
        ((900, 1000), (454, 504), (448, 504), (cv2.INTER_AREA, cv2.INTER_AREA)),
        ((700, 1000), (353, 504), (350, 504), (cv2.INTER_AREA, cv2.INTER_AREA)),
        ((710, 1000), (358, 504), (364, 504), (cv2.INTER_AREA, cv2.INTER_CUBIC)),
        ((500, 504), (500, 504), (504, 504), (None, cv2.INTER_CUBIC)),
    ],
)
def test_each_step_averages_where_the_image_shrinks_and_is_cubic_where_it_grows(
    image_px: tuple[int, int], first_px: tuple[int, int], size_px: tuple[int, int], how: tuple[int | None, int | None]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*image_px, 3), np.uint8)
    expected = image
    for size, interpolation in zip((first_px, size_px), how, strict=True):
        if interpolation is not None:
            expected = cv2.resize(expected, size[::-1], interpolation=interpolation)
    (found,) = area_bands(image, first_px, size_px)
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
