"""Rotary positions: pairs of channels of queries and keys turn by the row and the column of their token.

Source: Su et al., RoFormer; Heo et al., Rotary Position Embedding for Vision Transformer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..architecture import HEAD_WIDTH

BASE = 100.0  # Source: Depth-Anything-3 src/depth_anything_3/model/dinov2/vision_transformer.py, rope_freq
_AXES = 2  # the first half of a head's channels turns by the row, the second by the column
_FREQUENCIES = HEAD_WIDTH // (2 * _AXES)  # of an axis; a pair of channels turns at each


@dataclass(frozen=True, slots=True)
class Turns:
    """Angles by which the channels of each token turn.

    Args:
        cos, sin: (T, 1, 2, HEAD_WIDTH / 4): token, any head, axis, frequency.
    """

    cos: Tensor
    sin: Tensor

    def __call__(self, part: Tensor) -> Tensor:
        """Turn queries or keys (N, T, heads, HEAD_WIDTH)."""
        pairs = torch.unflatten(part, -1, (_AXES, 2, _FREQUENCIES))  # (N, T, heads, axis, of a pair, frequency)
        first, second = pairs.unbind(-2)
        cos, sin = self.cos.to(part.dtype), self.sin.to(part.dtype)
        return torch.stack((first * cos - second * sin, second * cos + first * sin), dim=-2).flatten(-3)


def token_places(grid: tuple[int, int], device: torch.device) -> Tensor:
    """Return row and column of each token, (1 + gh * gw, 2) int64: 0 for the class token, from 1 on for patches.

    Args:
        grid: (gh, gw), ints or symbolic ints.
        device: Of the result.
    """
    height, width = grid
    rows = torch.arange(1, height + 1, device=device)[:, None].expand(height, width)
    columns = torch.arange(1, width + 1, device=device)[None].expand(height, width)
    patches = torch.stack((rows, columns), dim=-1).reshape(height * width, _AXES)
    return torch.cat((torch.zeros(1, _AXES, dtype=patches.dtype, device=device), patches))


def turns_at(places: Tensor) -> Turns:
    """Return the turns of tokens at places (T, 2) int64."""
    steps = torch.arange(_FREQUENCIES, device=places.device, dtype=torch.float32) / _FREQUENCIES
    angles = places[:, None, :, None] * BASE**-steps  # (T, 1, 2, HEAD_WIDTH / 4)
    return Turns(angles.cos(), angles.sin())
