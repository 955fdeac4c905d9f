"""The tokens of a tapped block become a map, with the class token's knowledge in every cell.

Names and numbers of the layers are those of isl-org/MiDaS midas/backbones/utils.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Readout(nn.Module):
    """Joins the class token to each other token and projects the pair to the width of one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(2 * width, width), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        """Turn (N, 1 + P, C), the class token first, into (N, P, C)."""
        patches = tokens[:, 1:]
        joined: Tensor = self.project(torch.cat((patches, tokens[:, :1].expand_as(patches)), dim=-1))
        return joined


class Reassemble(nn.Module):
    """Readout, projection and resize of one level.

    Args:
        width: Channels of a token.
        channels: Of the map.
        level: 1 to 4, shallow to deep: 1/4, 1/8, 1/16 and 1/32 of the input's size.
    """

    def __init__(self, width: int, channels: int, level: int) -> None:
        super().__init__()
        self.add_module("0", Readout(width))
        self.add_module("3", nn.Conv2d(width, channels, kernel_size=1))
        self.resized = level != 3
        if level < 3:
            scale = 4 if level == 1 else 2
            self.add_module("4", nn.ConvTranspose2d(channels, channels, kernel_size=scale, stride=scale))
        elif level == 4:
            self.add_module("4", nn.Conv2d(channels, channels, kernel_size=3, stride=2, padding=1))

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Turn tokens into a map.

        Args:
            tokens: (N, 1 + gh * gw, C), the class token first.
            grid: (gh, gw), ints or symbolic ints.
        """
        joined = self.get_submodule("0")(tokens)
        maps: Tensor = self.get_submodule("3")(torch.unflatten(joined.transpose(1, 2), 2, grid))  # (N, C, gh, gw)
        return self.get_submodule("4")(maps) if self.resized else maps
