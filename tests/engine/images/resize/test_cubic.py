from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depthrt.engine.images.resize.cubic import cubic_bands, resize_bicubic

IMAGE_TOLERANCE = 1e-5  # of 255: cv2 sums in another order, 1e-8 of the values
OPENCV_TOLERANCE = 5e-6  # of the range: OpenCV rounds positions to float32 on processors without its x86 path
BAND_TOLERANCE = 1e-6  # OpenCV's last bit changes with the height of the band
TORCH_TOLERANCE = 1e-5  # of the range: torch's positions in float32, 6e-8 of up to 500 px

SIZES = [((37, 49), (480, 640)), ((384, 512), (300, 210)), ((5, 7), (5, 20)), ((32, 64), (1, 700)), ((1, 1), (3, 4))]


def depth(height: int, width: int) -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(1).normal(size=(height, width)).astype(np.float32), (0, 0), 2)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_bands_make_up_opencvs_cubic_resize_in_float64(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    source, target = sizes
    image = np.random.default_rng(0).integers(0, 256, (*source, 3), np.uint8)
    found = np.concatenate(list(cubic_bands(image, target)))
    expected = cv2.resize(image.astype(np.float64), target[::-1], interpolation=cv2.INTER_CUBIC)
    assert found.shape == (*target, 3) and found.dtype == np.float64
    assert np.abs(found - expected).max() <= IMAGE_TOLERANCE


@pytest.mark.parametrize("sizes", SIZES)
def test_the_final_bicubic_resize_equals_opencv_and_torch(sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    source, target = sizes
    values = depth(*source)
    found = resize_bicubic(values, target)
    span = max(float(np.ptp(values)), 1.0)
    assert found.dtype == np.float32 and found.shape == target
    opencv = cv2.resize(values, target[::-1], interpolation=cv2.INTER_CUBIC)
    assert np.abs(found - opencv.reshape(target)).max() <= OPENCV_TOLERANCE * span
    torchs = F.interpolate(torch.from_numpy(values)[None, None], target, mode="bicubic", align_corners=False)[0, 0]
    assert np.abs(found - torchs.numpy()).max() <= TORCH_TOLERANCE * span


@pytest.mark.parametrize("margin_px", [(0, 0), (7, 0), (0, 9), (46, 53)])
def test_the_margin_is_cut_off_after_the_resize(margin_px: tuple[int, int]) -> None:
    (rows, columns), values = margin_px, depth(64, 96)
    whole = resize_bicubic(values, (300 + 2 * rows, 400 + 2 * columns))
    found = resize_bicubic(values, (300, 400), margin_px)
    assert np.abs(found - whole[rows : rows + 300, columns : columns + 400]).max() <= BAND_TOLERANCE
    assert found.flags.c_contiguous
    same = resize_bicubic(values, (64 - 2 * 5, 96 - 2 * 6), (5, 6))
    assert np.array_equal(same, values[5:-5, 6:-6]) and not np.shares_memory(same, values)


def test_part_of_a_larger_array_is_resized_without_its_surroundings() -> None:
    values = np.full((80, 90), np.nan, np.float32)
    values[10:50, 20:70] = depth(40, 50)
    assert np.array_equal(resize_bicubic(values[10:50, 20:70], (99, 120)), resize_bicubic(depth(40, 50), (99, 120)))
