"""The sizes of a network are read off its tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from official_state import TINY, hollow

from depthrt.export.network.architecture import Architecture, ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.infer import infer, infer_convolutional

FILE = Path("wild.pth")


@pytest.mark.parametrize(
    "architecture",
    [
        TINY,
        replace(TINY, width=128, depth=7, features=24),
        replace(TINY, feed_forward="swiglu", hidden=96, patch_px=16),
    ],
    ids=["tiny", "deeper", "gated"],
)
def test_the_architecture_is_read_off_the_tensors(architecture: Architecture) -> None:
    assert infer(hollow(architecture), FILE) == architecture


def test_the_architecture_of_a_convolutional_network_is_read_off_its_tensors() -> None:
    conv = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 2, 3, 1), features=8)
    with torch.device("meta"):
        tensors = ConvDepth(conv).state_dict()
    assert infer_convolutional(tensors, FILE) == conv
