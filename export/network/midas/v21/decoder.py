"""The decoder of MiDaS v2.1: four maps, shallow to deep, become one map at the size of the input.

Source: Lin et al. 2017, RefineNet, simplified as in MiDaS. All sizes are computed from the grid, so that a graph with
symbolic sides has symbolic outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import CELL_PX

READOUT_WIDTH = 32  # channels at full resolution. Source: MiDaS midas_net.py


class ResidualUnit(nn.Module):
    """Two convolutions, each after a ReLU, added to the input.

    Args:
        features: Channels of the maps.
        from_rectified: Add them to relu(maps), not to the maps: the large network's ReLU works in place, so the
            weights were trained with that sum.
    """

    def __init__(self, features: int, *, from_rectified: bool) -> None:
        super().__init__()
        self.from_rectified = from_rectified
        self.conv1 = nn.Conv2d(features, features, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(features, features, kernel_size=3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        rectified = F.relu(maps)
        refined: Tensor = self.conv2(F.relu(self.conv1(rectified)))
        return refined + (rectified if self.from_rectified else maps)


class Fusion(nn.Module):
    """Adds a map to the deeper result and resizes the sum.

    Args:
        features: Channels of the maps.
        channels: Of the result; None for the large network, which has no convolution after the resize.
    """

    def __init__(self, features: int, channels: int | None) -> None:
        super().__init__()
        large = channels is None
        self.out_conv = nn.Identity() if channels is None else nn.Conv2d(features, channels, kernel_size=1)
        self.resConfUnit1 = ResidualUnit(features, from_rectified=large)  # unused in the deepest, but in every file
        self.resConfUnit2 = ResidualUnit(features, from_rectified=large)

    def forward(self, maps: Tensor, deeper: Tensor | None, size: tuple[int, int]) -> Tensor:
        """Return (N, channels, *size).

        Args:
            maps: (N, features, h, w), this level.
            deeper: (N, features, h, w), the result of the deeper level; None at the deepest.
            size: (h, w) of the result.
        """
        merged = maps if deeper is None else deeper + self.resConfUnit1(maps)
        resized = F.interpolate(self.resConfUnit2(merged), size=size, mode="bilinear", align_corners=True)
        fused: Tensor = self.out_conv(resized)
        return fused


class Scratch(nn.Module):
    """The convolutions of the decoder.

    Args:
        widths: Channels of the four maps.
        features: Channels of the four levels.
        fused: Channels of the four levels' results; None for the large network.
        readout: Channels before the last upsampling.
    """

    def __init__(
        self, widths: Sequence[int], features: Sequence[int], fused: Sequence[int] | None, *, readout: int
    ) -> None:
        super().__init__()
        for level, (width, channels) in enumerate(zip(widths, features, strict=True), start=1):
            self.add_module(f"layer{level}_rn", nn.Conv2d(width, channels, kernel_size=3, padding=1, bias=False))
        for level, channels in enumerate(features, start=1):
            self.add_module(f"refinenet{level}", Fusion(channels, fused[level - 1] if fused else None))
        self.output_conv = nn.Sequential(
            nn.Conv2d(features[0], readout, kernel_size=3, padding=1),
            nn.Identity(),  # the place of the upsampling, for the names of the layers after it
            nn.Conv2d(readout, READOUT_WIDTH, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(READOUT_WIDTH, 1, kernel_size=1),
        )

    def forward(self, maps: list[Tensor], grid: tuple[int, int]) -> Tensor:
        """Return (N, 1, gh * CELL_PX, gw * CELL_PX), any sign: the output without the last ReLU.

        Args:
            maps: Shallow to deep.
            grid: (gh, gw), cells of the deepest map, ints or symbolic ints.
        """
        rows, columns = grid
        fused: Tensor | None = None
        for level, cells in ((4, 2), (3, 4), (2, 8), (1, 16)):  # cells of the result along a side of a deepest cell
            refined = self.get_submodule(f"layer{level}_rn")(maps[level - 1])
            fused = self.get_submodule(f"refinenet{level}")(refined, fused, (rows * cells, columns * cells))
        features = self.output_conv[0](fused)
        # Unlike the resizes above, without aligned corners. Source: MiDaS midas_net.py, Interpolate
        features = F.interpolate(features, size=(rows * CELL_PX, columns * CELL_PX), mode="bilinear")
        values: Tensor = self.output_conv[2:](features)
        return values
