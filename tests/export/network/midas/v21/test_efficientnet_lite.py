"""The encoder of MiDaS v2.1 small: sizes and padding; its numbers are compared in test_midas_v21."""

from __future__ import annotations

import pytest
import torch
from made_midas_v21 import TINY_SMALL

from depthrt.export.network.midas.v21.architecture import PUBLISHED_SMALL
from depthrt.export.network.midas.v21.efficientnet_lite import EfficientNetLite, SameConvolution


def test_the_published_encoder_has_as_many_weights_as_the_classifier_without_its_last_layers() -> None:
    with torch.device("meta"):
        encoder = EfficientNetLite(PUBLISHED_SMALL)
    last = 384 * 1280 + 2 * 1280 + (1280 + 1) * 1000
    assert sum(weight.numel() for weight in encoder.parameters()) == 8_197_096 - last  # Source: tf_efficientnet_lite3


def test_maps_halve_from_level_to_level() -> None:
    maps = EfficientNetLite(TINY_SMALL)(torch.zeros(2, 3, 64, 96))
    assert [tuple(found.shape) for found in maps] == [
        (2, 8, 16, 24), (2, 16, 8, 12), (2, 24, 4, 6), (2, 32, 2, 3)
    ]  # fmt: skip


@pytest.mark.parametrize(("kernel", "around"), [(3, (0, 1)), (5, (1, 2))])
def test_the_odd_cell_of_the_padding_comes_after(kernel: int, around: tuple[int, int]) -> None:
    convolution = SameConvolution(1, 1, kernel=kernel, stride=2)
    assert convolution.around == around
    assert convolution(torch.zeros(1, 1, 8, 12)).shape == (1, 1, 4, 6)
