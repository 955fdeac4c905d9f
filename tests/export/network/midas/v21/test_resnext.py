"""The encoder of MiDaS v2.1 large: sizes; its numbers are compared in test_midas_v21."""

from __future__ import annotations

import torch
from made_midas_v21 import TINY_LARGE

from depthrt.export.network.midas.v21.architecture import PUBLISHED_LARGE
from depthrt.export.network.midas.v21.resnext import ResNeXt


def test_the_published_encoder_has_as_many_weights_as_the_classifier_without_its_last_layer() -> None:
    with torch.device("meta"):
        encoder = ResNeXt(PUBLISHED_LARGE)
    found = sum(weight.numel() for weight in encoder.parameters())
    assert found == 88_791_336 - (2048 + 1) * 1000  # Source: torchvision, resnext101_32x8d


def test_maps_halve_from_level_to_level() -> None:
    maps = ResNeXt(TINY_LARGE)(torch.zeros(2, 3, 64, 96))
    assert [tuple(found.shape) for found in maps] == [
        (2, 32, 16, 24), (2, 64, 8, 12), (2, 128, 4, 6), (2, 256, 2, 3)
    ]  # fmt: skip
