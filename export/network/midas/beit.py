"""BEiT: a batch of images becomes four maps of tokens, by attention with a bias for relative positions.

Parameter names are those of the published checkpoints, which are timm's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..architecture import HEAD_WIDTH
from ..attention import Attention
from ..encoder import NORM_EPS, Mlp, PatchEmbed
from .architecture import PATCH_PX, BeitArchitecture
from .reassemble import Reassemble
from .relative_positions import CLASS_ROWS, PairIndex, pair_index, resample_biases, spread_biases


class BeitAttention(Attention):
    """Attention with a bias by relative position; queries and values have a bias of their layer, keys have none."""

    baked_biases: Tensor | None

    def __init__(self, architecture: BeitArchitecture) -> None:
        super().__init__(architecture.heads, scale=HEAD_WIDTH**-0.5)
        width, self.side = architecture.width, architecture.table_side
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        positions = (2 * self.side - 1) ** 2 + CLASS_ROWS
        self.relative_position_bias_table = nn.Parameter(torch.zeros(positions, self.heads))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)
        self.register_buffer("baked_biases", None, persistent=False)

    def forward(self, tokens: Tensor, index: PairIndex) -> Tensor:
        """Attend from each token of (N, T, C) to all tokens of its image."""
        layer_bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        query, key, value = F.linear(tokens, self.qkv.weight, layer_bias).chunk(3, dim=-1)  # each (N, T, C)
        biases = self.resampled(index.grid) if self.baked_biases is None else self.baked_biases
        bias = spread_biases(biases, self.relative_position_bias_table[-CLASS_ROWS:], index)
        projected: Tensor = self.proj(self.attend(query, key, value, bias))
        return projected

    def resampled(self, grid: tuple[int, int]) -> Tensor:
        """Return the biases of the relative positions of a grid's patches."""
        return resample_biases(self.relative_position_bias_table, self.side, grid)


class BeitBlock(nn.Module):
    """Transformer block with its norms in front and a learned gain for each channel behind."""

    def __init__(self, architecture: BeitArchitecture) -> None:
        super().__init__()
        width = architecture.width
        self.gamma_1 = nn.Parameter(torch.ones(width))
        self.gamma_2 = nn.Parameter(torch.ones(width))
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = BeitAttention(architecture)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = Mlp(width, architecture.hidden)

    def forward(self, tokens: Tensor, index: PairIndex) -> Tensor:
        """Return tokens (N, T, C) after attention and feed-forward."""
        tokens = tokens + self.gamma_1 * self.attn(self.norm1(tokens), index)
        refined: Tensor = tokens + self.gamma_2 * self.mlp(self.norm2(tokens))
        return refined


class BeitModel(nn.Module):
    """The transformer, without a norm at its end."""

    def __init__(self, architecture: BeitArchitecture) -> None:
        super().__init__()
        self.taps = architecture.taps
        self.cls_token = nn.Parameter(torch.zeros(1, 1, architecture.width))
        self.patch_embed = PatchEmbed(architecture.width, PATCH_PX)
        self.blocks = nn.ModuleList(BeitBlock(architecture) for _ in range(architecture.depth))

    def forward(self, batch: Tensor, grid: tuple[int, int]) -> list[Tensor]:
        """Return the tapped outputs (N, 1 + gh * gw, C) of (N, 3, gh * PATCH_PX, gw * PATCH_PX), shallow to deep."""
        index = pair_index(grid, batch)
        tokens = torch.cat((self.cls_token.expand(batch.shape[0], -1, -1), self.patch_embed(batch)), dim=1)
        tapped = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, index)
            if number in self.taps:
                tapped.append(tokens)
        return tapped


class Beit(nn.Module):
    """The encoder: four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size."""

    def __init__(self, architecture: BeitArchitecture) -> None:
        super().__init__()
        self.model = BeitModel(architecture)
        for level, channels in enumerate(architecture.reassembled, start=1):
            self.add_module(f"act_postprocess{level}", Reassemble(architecture.width, channels, level))

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        grid = batch.shape[2] // PATCH_PX, batch.shape[3] // PATCH_PX
        tapped = self.model(batch, grid)
        return [
            self.get_submodule(f"act_postprocess{level}")(tokens, grid) for level, tokens in enumerate(tapped, start=1)
        ]

    def bake_positions(self, grid: tuple[int, int]) -> None:
        """Resample the tables of every block for one grid of patches, whatever the size of later images."""
        for module in self.modules():
            if isinstance(module, BeitAttention):
                module.baked_biases = None
                module.baked_biases = module.resampled(grid).detach().clone()
