from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from depthrt.engine.images.resize.pillow import PillowResize, pillow_bands

SIZES = [((1, 1), (14, 14)), ((700, 3), (70, 84)), ((3, 700), (84, 70)), ((60, 90), (70, 98)), ((300, 233), (154, 206))]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("image_px", "size_px"), SIZES)
@pytest.mark.parametrize(("resize", "filter"), [("cubic_uint8", 3), ("bilinear_uint8", 2), ("lanczos_uint8", 1)])
def test_the_image_is_bit_for_bit_pillows(
    resize: PillowResize, filter: int, image_px: tuple[int, int], size_px: tuple[int, int]
) -> None:
    image = picture(*image_px)
    (found,) = pillow_bands(image, size_px, resize)
    expected = np.asarray(Image.fromarray(image).resize(size_px[::-1], filter))  # (w, h) for Pillow
    assert found.dtype == np.uint8 and np.array_equal(found, expected)


def test_an_image_of_the_wanted_size_stays_as_it_is() -> None:
    image = picture(60, 90)
    (found,) = pillow_bands(image, (60, 90), "lanczos_uint8")
    assert np.array_equal(found, image)
