"""The sizes of the transformer networks of MiDaS, how tensors show them, and the published ones by official name."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..architecture import HEAD_WIDTH
from ..tensor_sizes import TensorSizes
from .relative_positions import CLASS_ROWS

CELL_PX = 32  # the deepest map has 1/32 of the image's size; both sides of the input are multiples of it
PATCH_PX = 16

BEIT_MARK = "pretrained.model.blocks.0.attn.relative_position_bias_table"  # only in BEiT
HYBRID_MARK = "pretrained.model.patch_embed.backbone.stem.conv.weight"  # only in the hybrid
# In published files, but no output depends on them, and the networks here lack them: what follows the last block in
# ImageNet's classifier, and indices that the sizes determine.
UNUSED = re.compile(r"^pretrained\.model\.(?:norm|fc_norm|head)\.|\.attn\.relative_position_index$")

Four = tuple[int, int, int, int]
Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _PlainTransformer:
    """The sizes that ViT and BEiT have alike.

    Args:
        width: Channels of a token.
        depth: Number of transformer blocks.
        table_side: Side of the square grid of patches that the table of positions was trained for.
        hidden: Width of the feed-forward hidden layer.
        features: Channels of the DPT fusion blocks.
        reassembled: Channels of the four reassembled maps, shallow to deep.
    """

    width: int
    depth: int
    table_side: int
    hidden: int
    features: int
    reassembled: Four

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return self.width // HEAD_WIDTH

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return CELL_PX

    @property
    def taps(self) -> Four:
        """Return the four blocks whose outputs feed the head: the last one of each quarter."""
        return quarters(self.depth)


@dataclass(frozen=True, slots=True)
class VitArchitecture(_PlainTransformer):
    """A vision transformer with a DPT head."""

    @property
    def encoder(self) -> str:
        """Return the official name, e.g. "dpt_large_384", or e.g. "vit64x4-64" for any other sizes."""
        return _official_name(self) or f"vit{self.width}x{self.depth}-{self.table_side * PATCH_PX}"


@dataclass(frozen=True, slots=True)
class BeitArchitecture(_PlainTransformer):
    """A BEiT transformer, whose attention adds a bias by relative position, with a DPT head."""

    @property
    def encoder(self) -> str:
        """Return the official name, e.g. "dpt_beit_large_512", or e.g. "beit64x4-64" for any other sizes."""
        return _official_name(self) or f"beit{self.width}x{self.depth}-{self.table_side * PATCH_PX}"


@dataclass(frozen=True, slots=True)
class HybridArchitecture:
    """A residual convolutional network followed by a vision transformer, with a DPT head.

    Args:
        stem: Channels at half the size, a multiple of 32.
        widths: Channels of the three convolutional stages, at 1/4, 1/8 and 1/16 of the image's size; multiples of 128.
        depths: Residual blocks of each stage.
        width, depth, table_side, hidden, features: As in _PlainTransformer.
        reassembled: Channels of the four maps; the first two are those of the first two stages.
    """

    stem: int
    widths: Three
    depths: Three
    width: int
    depth: int
    table_side: int
    hidden: int
    features: int
    reassembled: Four

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return self.width // HEAD_WIDTH

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return CELL_PX

    @property
    def encoder(self) -> str:
        """Return "dpt_hybrid_384", or e.g. "hybrid128-vit64x4-64" for any other sizes."""
        other = f"hybrid{self.widths[-1]}-vit{self.width}x{self.depth}-{self.table_side * PATCH_PX}"
        return _official_name(self) or other

    @property
    def taps(self) -> tuple[int, int]:
        """Return the two blocks whose outputs feed the head, after the maps of two stages."""
        return quarters(self.depth)[2:]


def quarters(depth: int) -> Four:
    """Return the last block of each quarter of a transformer.

    Source: MiDaS 3.1 takes 5, 11, 17, 23 of 24 blocks and 2, 5, 8, 11 of 12.
    """
    return depth // 4 - 1, depth // 2 - 1, 3 * depth // 4 - 1, depth - 1


TransformerArchitecture = VitArchitecture | BeitArchitecture | HybridArchitecture

_LARGE_MAPS = (256, 512, 1024, 1024)
# Source: MiDaS 3.1 midas/backbones
PUBLISHED: dict[str, TransformerArchitecture] = {
    "dpt_beit_large_512": BeitArchitecture(1024, 24, 32, 4096, 256, _LARGE_MAPS),
    "dpt_beit_large_384": BeitArchitecture(1024, 24, 24, 4096, 256, _LARGE_MAPS),
    "dpt_beit_base_384": BeitArchitecture(768, 12, 24, 3072, 256, (96, 192, 384, 768)),
    "dpt_large_384": VitArchitecture(1024, 24, 24, 4096, 256, _LARGE_MAPS),
    "dpt_hybrid_384": HybridArchitecture(64, (256, 512, 1024), (3, 4, 9), 768, 12, 24, 3072, 256, (256, 512, 768, 768)),
}


def infer(tensors: Mapping[str, Tensor], path: Path) -> TransformerArchitecture:
    """Read the sizes of a network off its tensors; their names tell which encoder it has.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    sizes = TensorSizes(tensors, path)
    if BEIT_MARK in tensors:
        rows = sizes.shape(BEIT_MARK, 2)[0] - CLASS_ROWS
        return BeitArchitecture(*_shared(sizes, (_side(sizes, rows, "relative positions") + 1) // 2))
    side = _side(sizes, sizes.shape("pretrained.model.pos_embed", 3)[1] - 1, "positions")
    if HYBRID_MARK not in tensors:
        return VitArchitecture(*_shared(sizes, side))
    stages = [f"{HYBRID_MARK.removesuffix('stem.conv.weight')}stages.{stage}.blocks." for stage in range(3)]
    first, second, third = ((sizes.shape(f"{stage}0.conv3.weight", 4)[0], sizes.count(stage)) for stage in stages)
    return HybridArchitecture(
        sizes.shape(HYBRID_MARK, 4)[0],
        (first[0], second[0], third[0]),
        (first[1], second[1], third[1]),
        *_shared(sizes, side),
    )


def _shared(sizes: TensorSizes, side: int) -> tuple[int, int, int, int, int, Four]:
    """Return width, depth, table_side, hidden, features and reassembled."""
    width, depth, hidden = sizes.transformer("pretrained.model.")
    levels = [sizes.shape(f"scratch.layer{level}_rn.weight", 4) for level in range(1, 5)]
    first, second, third, fourth = (level[1] for level in levels)
    return width, depth, side, hidden, levels[0][0], (first, second, third, fourth)


def _side(sizes: TensorSizes, count: int, things: str) -> int:
    """Return the side of a square table, which is odd for relative positions."""
    side = math.isqrt(max(count, 0))
    if side < 1 or side**2 != count or (things == "relative positions" and side % 2 == 0):
        expected = "the square of an odd number" if things == "relative positions" else "a square number"
        raise sizes.error(f"has a table of {count} {things}, expected {expected}; save it again")
    return side


def _official_name(architecture: TransformerArchitecture) -> str | None:
    return next((name for name, published in PUBLISHED.items() if published == architecture), None)
