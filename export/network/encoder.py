"""The DINOv2 encoder: a batch of images becomes four normalised maps of tokens.

Parameter names are those of the published checkpoints, which are terse.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...engine.errors import InputError
from .architecture import Architecture, FeedForward
from .attention import Attention, SelfAttention
from .positions import resample_table

NORM_EPS = 1e-6  # Source: DINOv2 dinov2/models/vision_transformer.py


class Mlp(nn.Module):
    """Feed-forward layer with the exact (erf) GELU."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C), each transformed without the others."""
        transformed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return transformed


class SwiGlu(nn.Module):
    """Gated feed-forward layer of the giant encoder (SwiGLU)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w12 = nn.Linear(width, 2 * hidden)
        self.w3 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C), each transformed without the others."""
        gate, passed = self.w12(tokens).chunk(2, dim=-1)
        transformed: Tensor = self.w3(F.silu(gate) * passed)
        return transformed


class LayerScale(nn.Module):
    """A learned gain for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scale the channels of each token."""
        return tokens * self.gamma


class ResidualBlock(nn.Module):
    """Transformer block with its norms in front (pre-norm), for any attention.

    Args:
        width: Channels of a token.
        hidden: Width of the feed-forward hidden layer.
        feed_forward: Its kind.
        attention: Of the tokens of an image.
    """

    def __init__(self, width: int, hidden: int, feed_forward: FeedForward, attention: Attention) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=NORM_EPS)
        self.attn = attention
        self.ls1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=NORM_EPS)
        self.mlp = SwiGlu(width, hidden) if feed_forward == "swiglu" else Mlp(width, hidden)
        self.ls2 = LayerScale(width)

    def add(self, tokens: Tensor, attended: Tensor) -> Tensor:
        """Return tokens (N, T, C) after attention, whose answer is given, and feed-forward."""
        tokens = tokens + self.ls1(attended)
        refined: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return refined


class Block(ResidualBlock):
    """Transformer block with plain attention."""

    def __init__(self, width: int, hidden: int, feed_forward: FeedForward) -> None:
        super().__init__(width, hidden, feed_forward, SelfAttention(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (N, T, C) after attention and feed-forward."""
        return self.add(tokens, self.attn(self.norm1(tokens)))


class PatchEmbed(nn.Module):
    """A convolution that makes a token of each patch of the image."""

    def __init__(self, width: int, patch_px: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, kernel_size=patch_px, stride=patch_px)

    def forward(self, batch: Tensor) -> Tensor:
        """Turn (N, 3, h, w) into (N, gh * gw, C)."""
        maps: Tensor = self.proj(batch)  # (N, C, gh, gw)
        return maps.flatten(2).transpose(1, 2)


class Embedding(nn.Module):
    """An image becomes tokens: one of each patch, and the class token, with their positions."""

    baked_first: Tensor
    baked_positions: Tensor

    def __init__(self, width: int, patch_px: int, table_side: int) -> None:
        super().__init__()
        self.side = table_side
        self.patch_embed = PatchEmbed(width, patch_px)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.side**2, width))
        self.baked_grid: tuple[int, int] | None = None
        self.register_buffer("baked_first", None, persistent=False)
        self.register_buffer("baked_positions", None, persistent=False)

    def embed(self, batch: Tensor, grid: tuple[int, int]) -> Tensor:
        """Return (N, 1 + gh * gw, C), the class token first.

        Args:
            batch: (N, 3, gh * patch_px, gw * patch_px).
            grid: (gh, gw), ints or symbolic ints.
        """
        first, positions = self._constants(grid)
        patches = self.patch_embed(batch) + positions
        return torch.cat((first.expand(batch.shape[0], -1, -1), patches), dim=1)

    def bake_positions(self, grid: tuple[int, int]) -> None:
        """Resample the position table for one grid; embed then refuses every other grid."""
        self.baked_grid = None
        with torch.no_grad():
            first, positions = self._constants(grid)
        self.baked_first, self.baked_positions = first.clone(), positions.clone()
        self.baked_grid = grid

    def _constants(self, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the class token with its position, and the positions of the patches: the same for every image.

        Returns:
            (1, 1, C) and (1, gh * gw, C).
        """
        if self.baked_grid is not None:
            return self._baked(grid)
        first = self.cls_token + self.pos_embed[:, :1]
        table = self.pos_embed[:, 1:]
        static = all(isinstance(side, int) for side in grid)  # symbolic while a dynamic graph is exported
        if static and grid == (self.side, self.side):
            return first, table
        return first, resample_table(table, self.side, grid)

    def _baked(self, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        if grid != self.baked_grid:
            found, baked = (f"{rows}x{columns}" for rows, columns in (grid, self.baked_grid or grid))
            raise InputError(
                f"a grid of {found} patches found, but positions are baked for {baked}; "
                "use that input size or bake again"
            )
        first, positions = self.baked_first, self.baked_positions
        return first, positions


class Encoder(Embedding):
    """DINOv2 vision transformer."""

    def __init__(self, architecture: Architecture, taps: tuple[int, ...]) -> None:
        width = architecture.width
        super().__init__(width, architecture.patch_px, architecture.table_side)
        self.taps = taps
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # in every published file, only used in pre-training
        hidden, feed_forward = architecture.hidden, architecture.feed_forward
        self.blocks = nn.ModuleList(Block(width, hidden, feed_forward) for _ in range(architecture.depth))
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, batch: Tensor, grid: tuple[int, int]) -> list[Tensor]:
        """Return the tapped outputs, shallow to deep.

        Args:
            batch: (N, 3, gh * patch_px, gw * patch_px).
            grid: (gh, gw), ints or symbolic ints.

        Returns:
            Four tensors (N, gh * gw, C), after the final norm, without the class token.
        """
        tokens = self.embed(batch, grid)  # (N, 1 + gh * gw, C)
        tapped = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.taps:
                tapped.append(self.norm(tokens)[:, 1:])
        return tapped
