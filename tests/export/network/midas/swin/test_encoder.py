"""The Swin transformers' maps; their numbers are compared in test_midas_swin."""

from __future__ import annotations

import pytest
import torch
from made_midas_swin import TINY_SWIN, TINY_SWIN2

from depthrt.export.network.midas.swin.architecture import PUBLISHED, SwinArchitecture
from depthrt.export.network.midas.swin.encoder import Merging, Swin


@pytest.mark.parametrize("architecture", [TINY_SWIN, TINY_SWIN2], ids=["1", "2"])
def test_maps_halve_and_widen_from_level_to_level(architecture: SwinArchitecture) -> None:
    with torch.inference_mode():
        maps = Swin(architecture)(torch.zeros(2, 3, 128, 128))
    assert [tuple(found.shape) for found in maps] == [
        (2, 8, 32, 32), (2, 16, 16, 16), (2, 32, 8, 8), (2, 64, 4, 4)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "millions"),
    # Source: timm, results of the classifiers that MiDaS takes
    [
        ("dpt_swin2_tiny_256", 28.35),
        ("dpt_swin2_base_384", 87.92),
        ("dpt_swin2_large_384", 196.74),
        ("dpt_swin_large_384", 196.74),
    ],
)
def test_a_published_encoder_has_as_many_weights_as_the_classifier_without_its_last_layers(
    name: str, millions: float
) -> None:
    with torch.device("meta"):
        encoder = Swin(PUBLISHED[name])
    wide = PUBLISHED[name].widths[-1]
    last = 2 * wide + (wide + 1) * 1000
    assert round((sum(weight.numel() for weight in encoder.parameters()) + last) / 1e6, 2) == millions


@pytest.mark.parametrize("norm_first", [True, False])
def test_four_cells_are_joined_column_by_column(norm_first: bool) -> None:
    merging = Merging(1, norm_first=norm_first)
    seen = []
    merging.reduction.register_forward_pre_hook(lambda module, values: seen.append(values[0]))
    if norm_first:
        merging.norm = torch.nn.Identity()
    merging(torch.arange(16.0).reshape(1, 4, 4, 1))
    assert seen[0][0, 0, 0].tolist() == [0, 4, 1, 5]  # Source: timm PatchMerging: rows fastest
