from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depthrt.engine.images.resize.bilinear import corner_bands, resize_bilinear
from depthrt.engine.images.resize.border import with_margin
from depthrt.engine.images.resize.taps import BilinearMode

RESIZE_TOLERANCE = 2e-5  # torch weighs in float32: about 6e-8 of the largest coordinate, 300 here
IMAGE_TOLERANCE = 1e-4  # of 255: the same positions as torch's, so what is left is the order of the sums


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
@pytest.mark.parametrize("sizes", [((37, 49), (480, 640)), ((37, 49), (20, 30)), ((5, 7), (5, 20)), ((4, 4), (1, 1))])
def test_the_final_resize_equals_torch(mode: BilinearMode, sizes: tuple[tuple[int, int], tuple[int, int]]) -> None:
    source, target = sizes
    values = np.random.default_rng(1).normal(size=source).astype(np.float32)
    tensor = torch.from_numpy(values)[None, None]
    expected = F.interpolate(tensor, target, mode="bilinear", align_corners=mode == "bilinear_corners")[0, 0].numpy()
    found = resize_bilinear(values, target, mode=mode)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= RESIZE_TOLERANCE


@pytest.mark.parametrize("mode", ["bilinear_corners", "bilinear_centres"])
def test_the_margin_is_cut_off_after_the_resize(mode: BilinearMode) -> None:
    values = np.random.default_rng(1).normal(size=(37, 49)).astype(np.float32)
    whole = resize_bilinear(values, (314, 418), mode=mode)
    assert np.array_equal(resize_bilinear(values, (300, 400), (7, 9), mode=mode), whole[7:-7, 9:-9])
    assert np.array_equal(resize_bilinear(values, (27, 47), (5, 1), mode=mode), values[5:-5, 1:-1])


@pytest.mark.parametrize(
    ("image_px", "size_px", "margin_px"),
    [
        ((480, 640), (384, 512), (46, 53)),
        ((480, 640), (384, 512), (0, 0)),
        ((1000, 90), (512, 64), (67, 20)),
        ((5, 7), (384, 384), (4, 5)),
        ((1, 1), (32, 64), (0, 0)),
        ((60, 50), (1, 1), (3, 0)),
        ((384, 512), (384, 512), (0, 0)),
        ((20, 9000), (64, 1024), (9, 201)),
    ],
)
def test_the_image_is_resized_from_corner_to_corner_as_torch_does(
    image_px: tuple[int, int], size_px: tuple[int, int], margin_px: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*image_px, 3), np.uint8)
    rows, columns = margin_px
    planes = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None]
    padded = F.pad(planes, (columns, columns, rows, rows), mode="reflect")
    expected = F.interpolate(padded, size_px, mode="bilinear", align_corners=True)[0].numpy().transpose(1, 2, 0)
    found = np.concatenate(list(corner_bands(image, size_px, margin_px)))
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= IMAGE_TOLERANCE


@pytest.mark.parametrize("image_px", [(1, 1), (2, 5), (4, 4), (3, 40)])
def test_an_image_smaller_than_its_margin_is_mirrored_again(image_px: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*image_px, 3), np.uint8)
    found = np.concatenate(list(corner_bands(image, (64, 96), (9, 11))))
    assert np.array_equal(found, np.concatenate(list(corner_bands(with_margin(image, (9, 11)), (64, 96)))))
