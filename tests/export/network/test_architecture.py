"""The sizes of a network name its encoder and the blocks that feed its head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from official_state import REAL, TINY

from depthrt.engine.terms import Family
from depthrt.export.network.architecture import ConvArchitecture

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"
FILE = Path("wild.pth")


# Source: depth_anything_v2/dpt.py, intermediate_layer_idx; depth_anything/dpt.py, get_intermediate_layers(x, 4)
@pytest.mark.parametrize(
    ("encoder", "family", "taps"),
    [
        ("vits", V2, (2, 5, 8, 11)),
        ("vitb", V2, (2, 5, 8, 11)),
        ("vitl", V2, (4, 11, 17, 23)),
        ("vitg", V2, (9, 19, 29, 39)),
        ("vits", V1, (8, 9, 10, 11)),
        ("vitb", V1, (8, 9, 10, 11)),
        ("vitl", V1, (20, 21, 22, 23)),
    ],
)
def test_the_head_reads_the_published_blocks(encoder: str, family: Family, taps: tuple[int, ...]) -> None:
    assert REAL[encoder].taps(family) == taps


@pytest.mark.parametrize("depth", range(4, 45))
def test_any_depth_has_four_blocks_in_order_that_end_with_the_last(depth: int) -> None:
    for family in (V1, V2):
        taps = replace(TINY, depth=depth).taps(family)
        assert len(set(taps)) == 4 and sorted(taps) == list(taps) and taps[0] >= 0 and taps[3] == depth - 1


@pytest.mark.parametrize("encoder", REAL)
def test_a_published_encoder_has_its_published_name_and_heads(encoder: str) -> None:
    assert REAL[encoder].encoder == encoder
    assert REAL[encoder].heads == {"vits": 6, "vitb": 12, "vitl": 16, "vitg": 24}[encoder]


def test_other_encoders_are_named_by_their_sizes() -> None:
    assert replace(REAL["vits"], depth=9).encoder == "vit384x9"
    conv = ConvArchitecture(widths=(8, 16, 24, 384), depths=(1, 2, 4, 2), features=8)
    assert (conv.encoder, conv.patch_px) == ("conv384x9", 32)
