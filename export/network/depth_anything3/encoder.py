"""The encoder of Depth Anything 3: a batch of images becomes four maps of tokens.

Upstream's networks for any number of views run every other block from `turned_from` on over all views. With one view
such a block sees the patches of one image, and turns queries and keys as if all patches stood at one place; the blocks
between turn them by row and column.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..architecture import HEAD_WIDTH, FeedForward
from ..attention import Attention
from ..encoder import Block, Embedding, ResidualBlock
from .architecture import Da3Architecture
from .turns import Turns, token_places, turns_at

NORM_EPS = 1e-5  # of the last norm and of those of queries and keys. Source: torch.nn.LayerNorm's default


class TurnedAttention(Attention):
    """Attention whose queries and keys are normalised in each head, and turned by the place of their token."""

    def __init__(self, width: int) -> None:
        super().__init__(width // HEAD_WIDTH, scale=HEAD_WIDTH**-0.5)
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(HEAD_WIDTH, eps=NORM_EPS)
        self.k_norm = nn.LayerNorm(HEAD_WIDTH, eps=NORM_EPS)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, turns: Turns) -> Tensor:
        """Attend from each token of (N, T, C) to all tokens of its image."""
        query, key, value = self.qkv(tokens).chunk(3, dim=-1)  # each (N, T, C)
        query = turns(self.q_norm(torch.unflatten(query, -1, (self.heads, HEAD_WIDTH)))).flatten(2)
        key = turns(self.k_norm(torch.unflatten(key, -1, (self.heads, HEAD_WIDTH)))).flatten(2)
        projected: Tensor = self.proj(self.attend(query, key, value))
        return projected


class TurnedBlock(ResidualBlock):
    """Transformer block with turned queries and keys."""

    def __init__(self, width: int, hidden: int, feed_forward: FeedForward) -> None:
        super().__init__(width, hidden, feed_forward, TurnedAttention(width))

    def forward(self, tokens: Tensor, turns: Turns) -> Tensor:
        """Return tokens (N, T, C) after attention and feed-forward."""
        return self.add(tokens, self.attn(self.norm1(tokens), turns))


class Da3Encoder(Embedding):
    """DINOv2 vision transformer; in networks for any number of views with a camera token and turned blocks."""

    def __init__(self, architecture: Da3Architecture) -> None:
        width, hidden, feed_forward = architecture.width, architecture.hidden, architecture.feed_forward
        super().__init__(width, architecture.patch_px, architecture.table_side)
        self.taps = architecture.taps
        self.turned_from = architecture.turned_from
        if self.turned_from is not None:
            self.camera_token = nn.Parameter(torch.zeros(1, 2, width))  # of the first view, and of the others
        plain = architecture.depth if self.turned_from is None else self.turned_from
        self.blocks = nn.ModuleList(
            (Block if index < plain else TurnedBlock)(width, hidden, feed_forward)
            for index in range(architecture.depth)
        )
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)

    def forward(self, batch: Tensor, grid: tuple[int, int]) -> list[Tensor]:
        """Return the tapped outputs, shallow to deep.

        Args:
            batch: (N, 3, gh * patch_px, gw * patch_px).
            grid: (gh, gw), ints or symbolic ints.

        Returns:
            Four tensors without the class token: (N, gh * gw, C), normalised; with turned blocks (N, gh * gw, 2 * C),
            the answer of the last block that knew places, and the normalised one of the block itself.
        """
        tokens = self.embed(batch, grid)  # (N, 1 + gh * gw, C)
        if self.turned_from is None:
            return self._plain(tokens)
        places = token_places(grid, batch.device)
        apart, together = turns_at(places), turns_at(places.clamp(max=1))
        local, tapped = tokens, []
        for index, block in enumerate(self.blocks):
            if index == self.turned_from:
                camera = self.camera_token[:, :1].expand(batch.shape[0], -1, -1)
                tokens = torch.cat((camera, tokens[:, 1:]), dim=1)
            over_views = index >= self.turned_from and index % 2 == 1
            turns = () if index < self.turned_from else (together if over_views else apart,)
            tokens = block(tokens, *turns)
            local = local if over_views else tokens
            if index in self.taps:
                tapped.append(torch.cat((local, self.norm(tokens)), dim=-1)[:, 1:])
        return tapped

    def _plain(self, tokens: Tensor) -> list[Tensor]:
        """Return the tapped outputs of a network of plain blocks."""
        tapped = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.taps:
                tapped.append(self.norm(tokens)[:, 1:])
        return tapped
