from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depthrt.engine.images.resize.antialias import antialias_bands

TOLERANCE = 2e-4  # of 255: the weights are torch's, and what is left is the order of the sums


@pytest.mark.parametrize(
    ("image_px", "size_px"),
    [
        ((480, 640), (576, 768)),
        ((1000, 700), (768, 537)),
        ((1500, 2000), (57, 76)),
        ((7, 5), (768, 548)),
        ((1, 1), (8, 8)),
        ((300, 15), (40, 2)),
        ((33, 33), (33, 33)),
        ((17, 9000), (1, 768)),
    ],
)
def test_the_image_is_averaged_as_torch_does(image_px: tuple[int, int], size_px: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*image_px, 3), np.uint8)
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))[None]
    expected = F.interpolate(planes, size_px, mode="bilinear", antialias=True)[0].numpy().transpose(1, 2, 0)
    found = np.concatenate(list(antialias_bands(image, size_px)))
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= TOLERANCE


def test_an_image_in_any_memory_layout_gives_the_same() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    expected = np.concatenate(list(antialias_bands(image, (20, 30))))
    for other in (np.asfortranarray(image), image[::-1].copy()[::-1]):
        assert np.array_equal(np.concatenate(list(antialias_bands(other, (20, 30)))), expected)
