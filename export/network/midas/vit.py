"""ViT: a batch of images becomes four maps of tokens.

Parameter names are those of the published checkpoints, which are timm's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention import SelfAttention
from ..encoder import NORM_EPS, Mlp, PatchEmbed
from .architecture import PATCH_PX, HybridArchitecture, VitArchitecture
from .reassemble import Reassemble


class VitBlock(nn.Module):
    """Transformer block with its norms in front (pre-norm)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = SelfAttention(width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C) after attention and feed-forward."""
        tokens = tokens + self.attn(self.norm1(tokens))
        refined: Tensor = tokens + self.mlp(self.norm2(tokens))
        return refined


class VitModel(nn.Module):
    """The transformer, without the norm at its end, which the head does not read.

    Args:
        architecture: Sizes of the layers.
        patch_embed: Makes a token of each patch of an image, (N, gh * gw, C).
    """

    baked_positions: Tensor | None

    def __init__(self, architecture: VitArchitecture | HybridArchitecture, patch_embed: nn.Module) -> None:
        super().__init__()
        width = architecture.width
        self.taps = architecture.taps
        self.side = architecture.table_side
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.side**2, width))
        self.patch_embed = patch_embed
        self.blocks = nn.ModuleList(VitBlock(width, architecture.hidden) for _ in range(architecture.depth))
        self.register_buffer("baked_positions", None, persistent=False)

    def forward(self, patches: Tensor, grid: tuple[int, int]) -> list[Tensor]:
        """Return the tapped outputs (N, 1 + gh * gw, C) of patches (N, gh * gw, C), shallow to deep."""
        patches = patches + (self.resampled(grid) if self.baked_positions is None else self.baked_positions)
        first = self.cls_token + self.pos_embed[:, :1]
        tokens = torch.cat((first.expand(patches.shape[0], -1, -1), patches), dim=1)
        tapped = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number in self.taps:
                tapped.append(tokens)
        return tapped

    def resampled(self, grid: tuple[int, int]) -> Tensor:
        """Return the positions (1, gh * gw, C) of a grid, resampled bilinearly by size.

        Source: isl-org/MiDaS midas/backbones/vit.py. The arithmetic is float32 or better.
        """
        table = self.pos_embed[:, 1:]
        maps = torch.unflatten(table.to(torch.promote_types(table.dtype, torch.float32)), 1, (self.side, self.side))
        maps = F.interpolate(maps.permute(0, 3, 1, 2), size=grid, mode="bilinear", align_corners=False)
        return maps.flatten(2).transpose(1, 2).to(table.dtype)

    def bake_positions(self, grid: tuple[int, int]) -> None:
        """Resample the table of positions for one grid of patches, whatever the size of later images."""
        self.baked_positions = self.resampled(grid).detach().clone()


class Vit(nn.Module):
    """The encoder: four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size."""

    def __init__(self, architecture: VitArchitecture) -> None:
        super().__init__()
        self.model = VitModel(architecture, PatchEmbed(architecture.width, PATCH_PX))
        for level, channels in enumerate(architecture.reassembled, start=1):
            self.add_module(f"act_postprocess{level}", Reassemble(architecture.width, channels, level))

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        grid = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
        tapped = self.model(self.model.patch_embed(batch), grid)
        return [
            self.get_submodule(f"act_postprocess{level}")(tokens, grid) for level, tokens in enumerate(tapped, start=1)
        ]

    def bake_positions(self, grid: tuple[int, int]) -> None:
        """Resample the table of positions for one grid of patches, whatever the size of later images."""
        self.model.bake_positions(grid)
