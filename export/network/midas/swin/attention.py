"""Attention inside windows, with a bias by relative position: versions 1 and 2 of the Swin transformer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...attention import Attention
from .windows import log_offsets

HIDDEN = 512  # of the layers that make version 2's biases. Source: timm swin_transformer_v2
MOST_BIAS = 16.0
MOST_LOGIT_SCALE = math.log(100.0)
LEAST_NORM = 1e-12  # Source: torch.nn.functional.normalize


class UnitVectors(nn.Module):
    """Vectors lose their length; in half precision it overflows, so the export keeps this module in float32."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Return vectors of length 1, along the last dimension."""
        lengths: Tensor = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
        return vectors / lengths.clamp_min(LEAST_NORM)


class WindowAttention(Attention):
    """Attention of a window's tokens to each other; the versions differ in the products and in the biases' table."""

    def __init__(self, width: int, heads: int, *, scale: float) -> None:
        super().__init__(heads, scale=scale)
        self.baked_table: Tensor | None = None  # no buffer: it stays float32 in a network of another type
        self.proj = nn.Linear(width, width)

    def forward(self, windows: Tensor, index: Tensor, mask: Tensor | None) -> Tensor:
        """Attend from each token of (N * windows, T, C) to all tokens of its window.

        Args:
            windows: The tokens.
            index: (T * T,), rows of the table of relative positions.
            mask: (windows, 1, T, T), added to the products; None for windows that are not shifted.
        """
        query, key, value = self.project(windows)
        table = self.table() if self.baked_table is None else self.baked_table  # (heads, offsets)
        tokens = windows.shape[1]
        bias = table.index_select(1, index).reshape(1, self.heads, tokens, tokens)
        if mask is not None:
            bias = bias + mask
            images = windows.shape[0] // mask.shape[0]
            bias = bias if images == 1 else bias.repeat(images, 1, 1, 1)
        projected: Tensor = self.proj(self.attend(query, key, value, bias.to(self.softmax_dtype or value.dtype)))
        return projected

    def bake(self) -> None:
        """Compute what no image changes; later changes of the weights have no effect."""
        with torch.no_grad():
            self.baked_table = self.table().clone()

    def project(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (N, T, C)."""
        raise NotImplementedError

    def table(self) -> Tensor:
        """Return the biases: (heads, offsets), float32 or better."""
        raise NotImplementedError


class Attention1(WindowAttention):
    """Version 1: scaled products, and a trained table of biases.

    Args:
        width: Channels of a token.
        heads: Number of heads.
        window: Side of a window in cells.
    """

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__(width, heads, scale=(width // heads) ** -0.5)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.qkv = nn.Linear(width, 3 * width)

    def project(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (N, T, C)."""
        query, key, value = self.qkv(windows).chunk(3, dim=-1)
        return query, key, value

    def table(self) -> Tensor:
        """Return the biases: (heads, offsets), float32 or better."""
        return _at_least_float32(self.relative_position_bias_table).t()


class Attention2(WindowAttention):
    """Version 2: products of unit vectors with a trained scale, and biases that two layers make of the offsets.

    Args:
        width: Channels of a token.
        heads: Number of heads.
        window: Side of a window in cells.
        scaled_window: Side that the offsets are scaled by.
    """

    def __init__(self, width: int, heads: int, window: int, scaled_window: int) -> None:
        super().__init__(width, heads, scale=1.0)
        self.window, self.scaled_window = window, scaled_window
        self.baked_factor: Tensor | None = None
        self.unit_vectors = UnitVectors()
        self.logit_scale = nn.Parameter(torch.zeros(heads, 1, 1))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, heads, bias=False))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))

    def project(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries of the scale's length, keys of length 1, and values, each (N, T, C)."""
        bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        query, key, value = F.linear(windows, self.qkv.weight, bias).chunk(3, dim=-1)
        dtype = self.softmax_dtype or windows.dtype
        factor = self.factor() if self.baked_factor is None else self.baked_factor  # (heads, 1)
        query, key = (self.unit_vectors(torch.unflatten(part, -1, (self.heads, -1)).to(dtype)) for part in (query, key))
        return (query * factor.to(dtype)).flatten(2), key.flatten(2), value

    def table(self) -> Tensor:
        """Return the biases: (heads, offsets), float32 or better."""
        weights = (self.cpb_mlp.get_parameter(name) for name in ("0.weight", "0.bias", "2.weight"))
        first, bias, second = map(_at_least_float32, weights)
        inner = F.relu(F.linear(log_offsets(self.window, self.scaled_window, first), first, bias))
        return MOST_BIAS * torch.sigmoid(F.linear(inner, second).t())

    def factor(self) -> Tensor:
        """Return the scale of each head's products: (heads, 1), float32 or better."""
        return _at_least_float32(self.logit_scale).clamp(max=MOST_LOGIT_SCALE).exp().squeeze(-1)

    def bake(self) -> None:
        """Compute what no image changes; later changes of the weights have no effect."""
        super().bake()
        with torch.no_grad():
            self.baked_factor = self.factor().clone()


def _at_least_float32(weights: Tensor) -> Tensor:
    return weights.to(torch.promote_types(weights.dtype, torch.float32))
