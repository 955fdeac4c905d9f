"""A network says whether it can be trained."""

from __future__ import annotations

import pytest
import torch
from official_state import TINY
from torch import Tensor

from depthrt.engine.errors import InputError
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.export.network.network import Network


class Other(Network):
    """A network of another family."""

    architecture = TINY

    def forward(self, batch: Tensor) -> Tensor:
        return batch[:, 0]

    def set_attention(self, form: str) -> None:
        """Do nothing."""

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Do nothing."""


def test_only_networks_that_offer_their_raw_output_can_be_trained() -> None:
    assert DepthAnything.trainable and ConvDepth.trainable and not Other.trainable
    with pytest.raises(
        InputError, match=r"vit64x4 cannot be trained here; give a checkpoint of Depth Anything or MiDaS"
    ):
        Other().values(torch.zeros(1, 3, 14, 14))
