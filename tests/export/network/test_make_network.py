"""The type of an architecture decides which network is made of it."""

from __future__ import annotations

import pytest
import torch
from official_state import REAL, TINY

from depthrt.engine.terms import DEPTH_ANYTHING
from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.export.network.make_network import make_network

CONVOLUTIONS = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)


@pytest.mark.parametrize("max_depth_m", [None, 20.0])
def test_a_transformer_reads_the_blocks_of_its_family(max_depth_m: float | None) -> None:
    for family in DEPTH_ANYTHING:
        with torch.device("meta"):
            network = make_network(REAL["vits"], family=family, max_depth_m=max_depth_m)
        assert isinstance(network, DepthAnything)
        assert (network.family, network.max_depth_m) == (family, max_depth_m)
        assert network.pretrained.taps == REAL["vits"].taps(family)


def test_a_convolutional_architecture_makes_the_convolutional_network() -> None:
    network = make_network(CONVOLUTIONS, family="depthrt")
    assert isinstance(network, ConvDepth) and network.architecture == CONVOLUTIONS
    assert (network.family, network.max_depth_m) == ("depthrt", None)


def test_weights_are_those_of_torch_and_not_shared() -> None:
    first, second = (make_network(TINY, family="depth-anything-v2") for _ in range(2))
    name = "depth_head.projects.0.weight"
    assert not torch.equal(first.get_parameter(name), second.get_parameter(name))
