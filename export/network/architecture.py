"""The sizes of Depth Anything and of depthrt's own networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...engine.terms import Family

FeedForward = Literal["mlp", "swiglu"]

CONV_CELL_PX = 32
HEAD_WIDTH = 64  # channels of an attention head in every DINOv2 encoder
PUBLISHED = {(384, 12): "vits", (768, 12): "vitb", (1024, 24): "vitl", (1536, 40): "vitg"}  # by width and depth
LEAST_BLOCKS = 4  # as many as maps that feed the head


@dataclass(frozen=True, slots=True)
class Architecture:
    """A DINOv2 encoder with a DPT head.

    Args:
        width: Channels of a token.
        depth: Number of transformer blocks.
        patch_px: Side of a patch.
        table_side: Side of the square grid the position table was trained for.
        feed_forward: "mlp" (GELU) or "swiglu" (vitg).
        hidden: Width of the feed-forward hidden layer; for swiglu, half the rows of its first matrix.
        features: Channels of the DPT fusion blocks.
        reassembled: Channels of the four reassembled maps, shallow to deep.
    """

    width: int
    depth: int
    patch_px: int
    table_side: int
    feed_forward: FeedForward
    hidden: int
    features: int
    reassembled: tuple[int, int, int, int]

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return self.width // HEAD_WIDTH

    @property
    def encoder(self) -> str:
        """Return "vits", "vitb", "vitl" or "vitg", or e.g. "vit192x12" for any other width and depth."""
        return PUBLISHED.get((self.width, self.depth), f"vit{self.width}x{self.depth}")

    def taps(self, family: Family) -> tuple[int, int, int, int]:
        """Return the four blocks whose outputs feed the head.

        Source: Depth Anything V1 takes the last four blocks; V2 takes 2,5,8,11 (12 blocks),
        4,11,17,23 (24 blocks) and 9,19,29,39 (40 blocks). Other depths follow quarters.
        """
        d = self.depth
        if family == "depth-anything-v1":
            return (d - 4, d - 3, d - 2, d - 1)
        if d == 24:
            return (4, 11, 17, 23)
        return (d // 4 - 1, d // 2 - 1, 3 * d // 4 - 1, d - 1)


@dataclass(frozen=True, slots=True)
class ConvArchitecture:
    """A residual convolutional encoder with a DPT head.

    Args:
        widths: Channels of the four stages, at 1/4, 1/8, 1/16 and 1/32 of the image's size.
        depths: Residual blocks of each stage.
        features: Channels of the DPT fusion blocks.
    """

    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]
    features: int

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides: a cell of the deepest stage."""
        return CONV_CELL_PX

    @property
    def encoder(self) -> str:
        """Return e.g. "conv384x9": width of the deepest stage, number of residual blocks."""
        return f"conv{self.widths[-1]}x{sum(self.depths)}"
