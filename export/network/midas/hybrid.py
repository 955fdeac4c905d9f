"""The hybrid encoder: the last map of a convolutional network becomes the tokens of a ViT.

Parameter names are those of the published checkpoint, which are timm's.
"""

from __future__ import annotations

from torch import Tensor, nn

from .architecture import PATCH_PX, HybridArchitecture
from .reassemble import Reassemble
from .residual_stages import ResidualStages
from .vit import VitModel


class HybridEmbed(nn.Module):
    """Makes a token of each cell of the deepest convolutional map."""

    def __init__(self, architecture: HybridArchitecture) -> None:
        super().__init__()
        self.backbone = ResidualStages(architecture)
        self.proj = nn.Conv2d(architecture.widths[-1], architecture.width, kernel_size=1)

    def forward(self, batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return tokens (N, gh * gw, C) of (N, 3, gh * PATCH_PX, gw * PATCH_PX), and the maps of all stages."""
        maps = self.backbone(batch)
        tokens: Tensor = self.proj(maps[-1])
        return tokens.flatten(2).transpose(1, 2), maps


class Hybrid(nn.Module):
    """The encoder: four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size; the first two are convolutional."""

    def __init__(self, architecture: HybridArchitecture) -> None:
        super().__init__()
        self.model = VitModel(architecture, HybridEmbed(architecture))
        for level, channels in tuple(enumerate(architecture.reassembled, start=1))[2:]:
            self.add_module(f"act_postprocess{level}", Reassemble(architecture.width, channels, level))

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        grid = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
        patches, (shallow, middle, _) = self.model.patch_embed(batch)
        tapped = self.model(patches, grid)
        deep = [
            self.get_submodule(f"act_postprocess{level}")(tokens, grid) for level, tokens in enumerate(tapped, start=3)
        ]
        return [shallow, middle, *deep]

    def bake_positions(self, grid: tuple[int, int]) -> None:
        """Resample the table of positions for one grid of patches, whatever the size of later images."""
        self.model.bake_positions(grid)
