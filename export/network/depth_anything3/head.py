"""The DPT head of Depth Anything 3: four maps of tokens become values at the size of the input.

All sizes are computed from the grid, so that a graph with symbolic sides has symbolic outputs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..head import Scratch, make_readout, make_resizes
from .architecture import Da3Architecture

NORM_EPS = 1e-5  # Source: torch.nn.LayerNorm's default
PLACE_GAIN = 0.1  # Source: Depth-Anything-3 src/depth_anything_3/model/dualdpt.py (_add_pos_embed)
WAVE_BASE = 100.0  # Source: Depth-Anything-3 src/depth_anything_3/model/utils/head_utils.py


class Da3Scratch(Scratch):
    """The convolutions of the head that are trained from scratch, with those for the sky if the network has them."""

    def __init__(self, architecture: Da3Architecture) -> None:
        outputs = 1 if architecture.has_sky else 2  # depth, and how sure it is
        super().__init__(architecture.reassembled, architecture.features, outputs=outputs, deepest_adds=False)
        if architecture.has_sky:
            self.sky_output_conv2 = make_readout(architecture.features, 1)


class Da3Head(nn.Module):
    """The head without its last activations; networks for any number of views add waves that show places."""

    def __init__(self, architecture: Da3Architecture) -> None:
        super().__init__()
        self.patch_px, self.has_sky = architecture.patch_px, architecture.has_sky
        width = architecture.width if self.has_sky else 2 * architecture.width
        self.norm = nn.Identity() if self.has_sky else nn.LayerNorm(width, eps=NORM_EPS)
        self.projects = nn.ModuleList(nn.Conv2d(width, count, kernel_size=1) for count in architecture.reassembled)
        self.resize_layers = make_resizes(architecture.reassembled)
        self.scratch = Da3Scratch(architecture)

    def features(self, tapped: list[Tensor], grid: tuple[int, int]) -> Tensor:
        """Turn tokens into what the last layers read.

        Args:
            tapped: Four tensors (N, gh * gw, C), shallow to deep.
            grid: (gh, gw), ints or symbolic ints.

        Returns:
            (N, features / 2, gh * patch_px, gw * patch_px).
        """
        maps = []
        for tokens, project, layer in zip(tapped, self.projects, self.resize_layers, strict=True):
            planes = torch.unflatten(self.norm(tokens).transpose(1, 2), 2, grid)  # (N, C, gh, gw)
            maps.append(layer(self._placed(project(planes), grid, cells=1)))
        return self._placed(self.scratch.fuse(maps, grid, self.patch_px), grid, cells=self.patch_px)

    def _placed(self, maps: Tensor, grid: tuple[int, int], *, cells: int) -> Tensor:
        """Add waves to maps (N, C, gh * cells, gw * cells), in a network that has them."""
        return maps if self.has_sky else add_waves(maps, grid, cells)


def add_waves(maps: Tensor, grid: tuple[int, int], cells: int) -> Tensor:
    """Add sines and cosines of the column to the first half of the channels, and of the row to the second.

    Args:
        maps: (N, C, gh * cells, gw * cells).
        grid: (gh, gw), ints or symbolic ints.
        cells: Along a side of a patch.
    """
    height, width = (torch.scalar_tensor(side, dtype=torch.float32, device=maps.device) for side in grid)
    diagonal = torch.sqrt(height * height + width * width)
    across, down = maps.chunk(2, dim=1)
    channels = across.shape[1]
    columns = _waves(grid[1] * cells, width / diagonal, channels)[:, None]  # (C / 2, 1, w)
    rows = _waves(grid[0] * cells, height / diagonal, channels)[:, :, None]  # (C / 2, h, 1)
    return torch.cat((across + columns.to(maps.dtype), down + rows.to(maps.dtype)), dim=1)


def _waves(count: int, span: Tensor, channels: int) -> Tensor:
    """Return the waves of cells whose centres divide [-span, span] evenly: sines, then cosines, (channels, count)."""
    cells = torch.arange(count, device=span.device)
    total = torch.scalar_tensor(count, dtype=torch.int64, device=span.device)
    centres = (2 * cells + 1 - total).to(torch.float32) * (span / total)
    half = channels // 2
    steps = torch.arange(half, dtype=torch.float32, device=span.device) / half
    angles = WAVE_BASE ** -steps[:, None] * centres
    return torch.cat((angles.sin(), angles.cos())) * PLACE_GAIN
