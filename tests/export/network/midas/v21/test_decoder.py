"""The decoder of MiDaS v2.1: what differs between large and small, and and sizes."""

from __future__ import annotations

import torch
from made_midas_v21 import TINY_LARGE, TINY_SMALL, random_v21

from depthrt.export.network.midas.v21.decoder import ResidualUnit, Scratch


def test_only_the_large_networks_sum_starts_from_rectified_maps() -> None:
    maps = torch.full((1, 2, 3, 3), -1.0)
    large, small = (ResidualUnit(2, from_rectified=rectified) for rectified in (True, False))
    small.load_state_dict(large.state_dict())
    assert torch.allclose(large(maps) - small(maps), torch.ones(1), atol=1e-6)


def test_only_the_small_network_has_convolutions_after_its_resizes() -> None:
    large, small = (random_v21(architecture).state_dict() for architecture in (TINY_LARGE, TINY_SMALL))
    assert not [name for name in large if "out_conv" in name]
    found = [tuple(small[f"scratch.refinenet{level}.out_conv.weight"].shape[:2]) for level in (1, 2, 3, 4)]
    assert found == [(8, 8), (8, 16), (16, 32), (32, 64)]


def test_the_result_has_the_size_of_the_grid_in_pixels() -> None:
    scratch = Scratch((2, 3, 4, 5), (8,) * 4, None, readout=4)
    maps = [torch.zeros(2, width, 16 // 2**level, 24 // 2**level) for level, width in enumerate((2, 3, 4, 5))]
    assert scratch(maps, (2, 3)).shape == (2, 1, 64, 96)
