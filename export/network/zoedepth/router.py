"""The router of ZoeDepth NK: whether an image gets the indoor bins (nyu) or the outdoor ones (kitti).

Parameter names are those of the published checkpoints.
Source: isl-org/ZoeDepth, zoedepth/models/layers/patch_transformer.py, and torch.nn.TransformerEncoderLayer.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention import Attention

ROUTES = ("nyu", "kitti")  # in the order of the classifier's outputs
ROUTER_WIDTH, ROUTER_HEADS, ROUTER_LAYERS = 128, 4, 4
LONGEST_WAVE = 10000.0  # of the positions


class RouterAttention(Attention):
    """Self-attention under the names of torch.nn.MultiheadAttention."""

    def __init__(self) -> None:
        super().__init__(ROUTER_HEADS, scale=(ROUTER_WIDTH // ROUTER_HEADS) ** -0.5)
        self.in_proj_weight = nn.Parameter(torch.zeros(3 * ROUTER_WIDTH, ROUTER_WIDTH))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * ROUTER_WIDTH))
        self.out_proj = nn.Linear(ROUTER_WIDTH, ROUTER_WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Attend from each token of (N, T, C) to all tokens of its image."""
        query, key, value = F.linear(tokens, self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1)
        projected: Tensor = self.out_proj(self.attend(query, key, value))
        return projected


class RouterLayer(nn.Module):
    """Transformer layer with its norms behind (post-norm)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.self_attn = RouterAttention()
        self.linear1 = nn.Linear(ROUTER_WIDTH, hidden)
        self.linear2 = nn.Linear(hidden, ROUTER_WIDTH)
        self.norm1 = nn.LayerNorm(ROUTER_WIDTH)
        self.norm2 = nn.LayerNorm(ROUTER_WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C)."""
        tokens = self.norm1(tokens + self.self_attn(tokens))
        refined: Tensor = self.norm2(tokens + self.linear2(F.relu(self.linear1(tokens))))
        return refined


class RouterLayers(nn.Module):
    """The layers, one after the other."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(RouterLayer(hidden) for _ in range(ROUTER_LAYERS))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C)."""
        for layer in self.layers:
            tokens = layer(tokens)
        return tokens


class PatchTransformer(nn.Module):
    """A transformer that sums up the deepest map of an image in its first token.

    Args:
        features: Channels of the map.
        hidden: Width of the feed-forward hidden layers.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.transformer_encoder = RouterLayers(hidden)
        self.embedding_convPxP = nn.Conv2d(features, ROUTER_WIDTH, kernel_size=1)

    def forward(self, maps: Tensor) -> Tensor:
        """Turn (N, features, h, w) into (N, ROUTER_WIDTH)."""
        cells = self.embedding_convPxP(maps).flatten(2).transpose(1, 2)  # (N, h * w, C)
        tokens = F.pad(cells, (0, 0, 1, 0))  # the first token starts as zeros
        summary: Tensor = self.transformer_encoder(tokens + _positions(tokens))[:, 0]
        return summary


def is_outdoor(logits: Tensor) -> Tensor:
    """Return the route of each image, (N, 1, 1, 1) bool, from its (N, 2) logits; equal ones mean indoor, as upstream.

    Upstream adds up the logits of a batch; here each image has its own route.
    """
    indoor, outdoor = logits[:, :1], logits[:, 1:]
    return (outdoor > indoor)[:, :, None, None]


def _positions(tokens: Tensor) -> Tensor:
    """Return sines and cosines of each token's number, (T, ROUTER_WIDTH)."""
    numbers = torch.arange(tokens.shape[1], device=tokens.device).to(tokens.dtype)
    halves = torch.arange(0, ROUTER_WIDTH, 2, device=tokens.device).to(tokens.dtype)
    phases = numbers[:, None] * torch.exp(halves * (-math.log(LONGEST_WAVE) / ROUTER_WIDTH))
    return torch.cat((torch.sin(phases), torch.cos(phases)), dim=1)
