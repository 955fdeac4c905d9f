"""The DPT head: four maps of tokens become one map at the size of the input.

Source: Ranftl et al., Vision Transformers for Dense Prediction, section 3; layer sizes of Depth Anything.
All sizes are computed from the grid, so that a graph with symbolic sides has symbolic outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import Architecture

READOUT_WIDTH = 32  # channels at full resolution. Source: Depth Anything, head_features_2


class ResidualUnit(nn.Module):
    """Two convolutions, each after a ReLU, added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(features, features, kernel_size=3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        refined: Tensor = maps + self.conv2(F.relu(self.conv1(F.relu(maps))))
        return refined


class Fusion(nn.Module):
    """Adds a map to the deeper result and resizes the sum.

    Args:
        features: Channels.
        adds: Whether it has the layers for the sum, which the deepest fusion does not use.
    """

    def __init__(self, features: int, *, adds: bool = True) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(features, features, kernel_size=1)
        if adds:
            self.resConfUnit1 = ResidualUnit(features)
        self.resConfUnit2 = ResidualUnit(features)

    def forward(self, maps: Tensor, deeper: Tensor | None, size: tuple[int, int]) -> Tensor:
        """Return (N, features, *size).

        Args:
            maps: (N, features, h, w), this level.
            deeper: (N, features, h, w), the result of the deeper level; None at the deepest.
            size: (h, w) of the result.
        """
        merged = maps if deeper is None else deeper + self.resConfUnit1(maps)
        fused: Tensor = self.out_conv(resize(self.resConfUnit2(merged), size))
        return fused


class Scratch(nn.Module):
    """The convolutions of the head that are trained from scratch.

    Args:
        reassembled: Channels of the four maps, shallow to deep.
        features: Channels of the fusions.
        outputs: Channels of the result.
        deepest_adds: As `adds` of the deepest fusion: True in every published file of Depth Anything V1 and V2.
    """

    def __init__(
        self, reassembled: Sequence[int], features: int, *, outputs: int = 1, deepest_adds: bool = True
    ) -> None:
        super().__init__()
        for level, channels in enumerate(reassembled, start=1):
            self.add_module(f"layer{level}_rn", nn.Conv2d(channels, features, kernel_size=3, padding=1, bias=False))
        for level in range(1, 5):
            self.add_module(f"refinenet{level}", Fusion(features, adds=level < 4 or deepest_adds))
        self.output_conv1 = nn.Conv2d(features, features // 2, kernel_size=3, padding=1)
        self.output_conv2 = make_readout(features, outputs)

    def forward(self, maps: list[Tensor], grid: tuple[int, int], patch_px: int) -> Tensor:
        """Fuse four maps, shallow to deep, into (N, outputs, gh * patch_px, gw * patch_px)."""
        values: Tensor = self.output_conv2(self.fuse(maps, grid, patch_px))
        return values

    def fuse(self, maps: list[Tensor], grid: tuple[int, int], patch_px: int) -> Tensor:
        """Fuse four maps, shallow to deep, into features (N, features / 2, gh * patch_px, gw * patch_px)."""
        return self._enlarged(self.levels(maps, grid)[-1], grid, patch_px)

    def levels(self, maps: list[Tensor], grid: tuple[int, int]) -> list[Tensor]:
        """Fuse four maps, shallow to deep.

        Returns:
            The deepest map, at half the grid, and the results of the four fusions, deep to shallow, at 1 to 8 times the
            grid; each with the channels of the fusions.
        """
        rows, columns = grid
        found: list[Tensor] = []
        for level, cells in ((4, 1), (3, 2), (2, 4), (1, 8)):  # cells of the result along a side of a patch
            refined = self.get_submodule(f"layer{level}_rn")(maps[level - 1])
            deeper = found[-1] if found else None
            found = found or [refined]
            found.append(self.get_submodule(f"refinenet{level}")(refined, deeper, (rows * cells, columns * cells)))
        return found

    def read_out(self, finest: Tensor, grid: tuple[int, int], patch_px: int) -> tuple[Tensor, Tensor]:
        """Return the features (N, READOUT_WIDTH, h, w) that the last layer reads, and its values (N, outputs, h, w)."""
        inside, activation, last = self.output_conv2
        features = activation(inside(self._enlarged(finest, grid, patch_px)))
        return features, last(features)

    def _enlarged(self, finest: Tensor, grid: tuple[int, int], patch_px: int) -> Tensor:
        return resize(self.output_conv1(finest), (grid[0] * patch_px, grid[1] * patch_px))


class Head(nn.Module):
    """The head without its last activation."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        channels = architecture.reassembled
        self.patch_px = architecture.patch_px
        self.projects = nn.ModuleList(nn.Conv2d(architecture.width, count, kernel_size=1) for count in channels)
        self.resize_layers = make_resizes(channels)
        self.scratch = Scratch(channels, architecture.features)

    def forward(self, tapped: list[Tensor], grid: tuple[int, int]) -> Tensor:
        """Turn tokens into values.

        Args:
            tapped: Four tensors (N, gh * gw, C), shallow to deep.
            grid: (gh, gw), ints or symbolic ints.

        Returns:
            (N, 1, gh * patch_px, gw * patch_px), any sign.
        """
        values: Tensor = self.scratch(self.reassemble(tapped, grid), grid, self.patch_px)
        return values

    def reassemble(self, tapped: list[Tensor], grid: tuple[int, int]) -> list[Tensor]:
        """Turn tokens (N, gh * gw, C) into four maps at 4, 2, 1 and 1/2 times the grid."""
        maps = []
        for tokens, project, layer in zip(tapped, self.projects, self.resize_layers, strict=True):
            planes = torch.unflatten(tokens.transpose(1, 2), 2, grid)  # (N, C, gh, gw)
            maps.append(layer(project(planes)))
        return maps


def make_resizes(channels: tuple[int, int, int, int]) -> nn.ModuleList:
    """Return the layers that bring four maps of one size to sizes from 4 times down to half of it."""
    first, second, _, fourth = channels
    return nn.ModuleList(
        (
            nn.ConvTranspose2d(first, first, kernel_size=4, stride=4),
            nn.ConvTranspose2d(second, second, kernel_size=2, stride=2),
            nn.Identity(),
            nn.Conv2d(fourth, fourth, kernel_size=3, stride=2, padding=1),
        )
    )


def make_readout(features: int, outputs: int) -> nn.Sequential:
    """Return the layers that turn the fused features into values."""
    return nn.Sequential(
        nn.Conv2d(features // 2, READOUT_WIDTH, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(READOUT_WIDTH, outputs, kernel_size=1),
    )


def resize(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize maps bilinearly with their corners aligned."""
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=True)
