"""The sizes of a network: what the names and shapes of its tensors show."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from torch import Tensor

from ...engine.errors import ModelFileError
from ...engine.terms import Family

FeedForward = Literal["mlp", "swiglu"]

CONV_CELL_PX = 32
HEAD_WIDTH = 64  # channels of an attention head in every DINOv2 encoder
PUBLISHED = {(384, 12): "vits", (768, 12): "vitb", (1024, 24): "vitl", (1536, 40): "vitg"}  # by width and depth
LEAST_BLOCKS = 4  # as many as maps that feed the head

_CONV_BLOCK = re.compile(r"^pretrained\.stages\.(\d)\.(\d{1,3})\.")


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


def infer(tensors: Mapping[str, Tensor], path: Path) -> Architecture:
    """Read the sizes of a transformer off its tensors.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    shape = partial(_shape, tensors, path)
    width = shape("pretrained.cls_token", 3)[2]
    if width % HEAD_WIDTH:
        raise ModelFileError(
            f"{path} has tokens of width {width}, expected a multiple of {HEAD_WIDTH} (the channels of an "
            "attention head); such an encoder cannot be exported"
        )
    positions = shape("pretrained.pos_embed", 3)[1] - 1
    if positions < 1 or math.isqrt(positions) ** 2 != positions:
        raise ModelFileError(f"{path} has a table of {positions} positions, expected a square number; save it again")
    gated = "pretrained.blocks.0.mlp.w12.weight" in tensors
    hidden = shape(f"pretrained.blocks.0.mlp.{'w12' if gated else 'fc1'}.weight", 2)[0]
    reassembled = [shape(f"depth_head.projects.{level}.weight", 4)[0] for level in range(4)]
    return Architecture(
        width=width,
        depth=_depth(tensors, path),
        patch_px=shape("pretrained.patch_embed.proj.weight", 4)[3],
        table_side=math.isqrt(positions),
        feed_forward="swiglu" if gated else "mlp",
        hidden=hidden // 2 if gated else hidden,
        features=shape("depth_head.scratch.layer1_rn.weight", 4)[0],
        reassembled=(reassembled[0], reassembled[1], reassembled[2], reassembled[3]),
    )


def infer_convolutional(tensors: Mapping[str, Tensor], path: Path) -> ConvArchitecture:
    """Read the sizes of a convolutional network off its tensors; blocks that are missing are not noticed.

    Args, Raises: As infer.
    """
    shape = partial(_shape, tensors, path)
    widths = [shape(f"pretrained.stages.{stage}.0.conv1.weight", 4)[0] for stage in range(4)]
    blocks = [_CONV_BLOCK.match(name) for name in tensors]
    depths = [1 + max(int(match[2]) for match in blocks if match and int(match[1]) == stage) for stage in range(4)]
    return ConvArchitecture(
        widths=(widths[0], widths[1], widths[2], widths[3]),
        depths=(depths[0], depths[1], depths[2], depths[3]),
        features=shape("depth_head.scratch.layer1_rn.weight", 4)[0],
    )


def _shape(tensors: Mapping[str, Tensor], path: Path, name: str, rank: int) -> tuple[int, ...]:
    """Return the shape of a tensor that shows a size."""
    if name not in tensors:
        raise ModelFileError(f"{path} lacks {name}, so the size of the network is unknown; save the whole model")
    found = tuple(tensors[name].shape)
    if len(found) != rank or 0 in found:
        raise ModelFileError(f"{path}: {name} has the shape {found}, expected {rank} dimensions; save it again")
    return found


def _depth(tensors: Mapping[str, Tensor], path: Path) -> int:
    blocks = {int(match[1]) for name in tensors if (match := re.match(r"pretrained\.blocks\.(\d{1,4})\.", name))}
    if blocks != set(range(len(blocks))):
        missing = min(set(range(max(blocks))) - blocks)
        raise ModelFileError(f"{path} lacks block {missing} of {max(blocks) + 1}; save the whole model")
    if len(blocks) < LEAST_BLOCKS:
        raise ModelFileError(f"{path} has {len(blocks)} transformer blocks, expected {LEAST_BLOCKS} or more")
    return len(blocks)
