"""The Swin transformers: a square batch of images becomes four maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ...encoder import Mlp
from .architecture import PATCH_PX, STAGES, SwinArchitecture
from .attention import Attention1, Attention2, WindowAttention
from .windows import cut, join, relative_index, shift_mask

NORM_EPS = 1e-5  # Source: timm swin_transformer and swin_transformer_v2
MLP_RATIO = 4


class Block(nn.Module):
    """Attention inside windows and a feed-forward layer; norms in front in version 1, behind in version 2."""

    def __init__(self, architecture: SwinArchitecture, stage: int, number: int) -> None:
        super().__init__()
        width, heads = architecture.widths[stage], architecture.heads[stage]
        self.norms_first = architecture.version == 1
        self.side, self.window = architecture.side(stage), architecture.window_of(stage)
        self.shift = architecture.shift_of(stage) if number % 2 else 0
        self.attn: WindowAttention = (
            Attention1(width, heads, self.window)
            if architecture.version == 1
            else Attention2(width, heads, self.window, architecture.scaled_window(stage))
        )
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, MLP_RATIO * width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, maps: Tensor, index: Tensor) -> Tensor:
        """Return (N, side, side, C) after attention and feed-forward."""
        if self.norms_first:
            maps = maps + self._attend(self.norm1(maps), index)
            added: Tensor = self.mlp(self.norm2(maps))
        else:
            maps = maps + self.norm1(self._attend(maps, index))
            added = self.norm2(self.mlp(maps))
        return maps + added

    def _attend(self, maps: Tensor, index: Tensor) -> Tensor:
        if not self.shift:
            return join(self.attn(cut(maps, self.window), index, None), self.window, self.side)
        mask = shift_mask(self.side, self.window, self.shift, maps.device)
        rolled = torch.roll(maps, (-self.shift, -self.shift), dims=(1, 2))
        attended = join(self.attn(cut(rolled, self.window), index, mask), self.window, self.side)
        return torch.roll(attended, (self.shift, self.shift), dims=(1, 2))


class Merging(nn.Module):
    """Joins 2x2 cells into one with twice the channels; the norm in front in version 1, behind in version 2."""

    def __init__(self, width: int, *, norm_first: bool) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width if norm_first else 2 * width, eps=NORM_EPS)

    def forward(self, maps: Tensor) -> Tensor:
        """Turn (N, side, side, C) into (N, side / 2, side / 2, 2 C)."""
        count, side, _, channels = maps.shape
        cells = maps.reshape(count, side // 2, 2, side // 2, 2, channels)
        joined = cells.permute(0, 1, 3, 4, 2, 5).reshape(count, side // 2, side // 2, 4 * channels)  # column by column
        merged: Tensor = self.reduction(self.norm(joined)) if self.norm_first else self.norm(self.reduction(joined))
        return merged


class Stage(nn.Module):
    """Blocks of one width, and the merging after them, which the last stage lacks."""

    def __init__(self, architecture: SwinArchitecture, stage: int) -> None:
        super().__init__()
        self.window = architecture.window_of(stage)
        self.blocks = nn.ModuleList(Block(architecture, stage, number) for number in range(architecture.depths[stage]))
        self.downsample: Merging | None = None
        if stage < STAGES[-1]:
            self.downsample = Merging(architecture.widths[stage], norm_first=architecture.version == 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, side, side, C) after all blocks."""
        index = relative_index(self.window, maps.device)
        for block in self.blocks:
            maps = block(maps, index)
        return maps


class PatchEmbed(nn.Module):
    """A convolution that makes a token of each patch of the image, and a norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=PATCH_PX, stride=PATCH_PX)
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, batch: Tensor) -> Tensor:
        """Turn (N, 3, h, w) into (N, h / PATCH_PX, w / PATCH_PX, C)."""
        tokens: Tensor = self.norm(self.proj(batch).permute(0, 2, 3, 1))
        return tokens


class Swin(nn.Module):
    """Four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size, before each stage's merging."""

    def __init__(self, architecture: SwinArchitecture) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(architecture.width)
        self.layers = nn.ModuleList(Stage(architecture, stage) for stage in STAGES)

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps (N, C, h, w) of (N, 3, side_px, side_px), shallow to deep."""
        maps, found = self.patch_embed(batch), []
        for stage in self.layers:
            maps = stage(maps)
            found.append(maps.permute(0, 3, 1, 2))
            if stage.downsample is not None:
                maps = stage.downsample(maps)
        return found

    def bake(self) -> None:
        """Compute what no image changes; later changes of the weights have no effect."""
        for module in self.modules():
            if isinstance(module, WindowAttention):
                module.bake()
