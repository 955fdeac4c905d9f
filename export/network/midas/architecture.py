"""The sizes of the transformer networks of MiDaS, and the published ones by official name."""

from __future__ import annotations

from dataclasses import dataclass

from ..architecture import HEAD_WIDTH

CELL_PX = 32  # the deepest map has 1/32 of the image's size; both sides of the input are multiples of it
PATCH_PX = 16

Four = tuple[int, int, int, int]
Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class VitArchitecture:
    """A vision transformer with a DPT head.

    Args:
        width: Channels of a token.
        depth: Number of transformer blocks.
        table_side: Side of the square grid of patches that the position table was trained for.
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
    def encoder(self) -> str:
        """Return the official name, e.g. "dpt_large_384", or e.g. "vit64x4-64" for any other sizes."""
        return _official_name(self) or f"vit{self.width}x{self.depth}-{self.table_side * PATCH_PX}"

    @property
    def taps(self) -> Four:
        """Return the four blocks whose outputs feed the head: the last one of each quarter."""
        return quarters(self.depth)


@dataclass(frozen=True, slots=True)
class BeitArchitecture:
    """A BEiT transformer, whose attention adds a bias by relative position, with a DPT head.

    Args:
        width, depth, hidden, features, reassembled: As in VitArchitecture.
        table_side: Side of the square grid of patches that the tables of relative positions were trained for.
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
    def encoder(self) -> str:
        """Return the official name, e.g. "dpt_beit_large_512", or e.g. "beit64x4-64" for any other sizes."""
        return _official_name(self) or f"beit{self.width}x{self.depth}-{self.table_side * PATCH_PX}"

    @property
    def taps(self) -> Four:
        """Return the four blocks whose outputs feed the head: the last one of each quarter."""
        return quarters(self.depth)


@dataclass(frozen=True, slots=True)
class HybridArchitecture:
    """A residual convolutional network followed by a vision transformer, with a DPT head.

    Args:
        stem: Channels at half the size, a multiple of 32.
        widths: Channels of the three convolutional stages, at 1/4, 1/8 and 1/16 of the image's size; multiples of 128.
        depths: Residual blocks of each stage.
        width, depth, table_side, hidden, features: As in VitArchitecture.
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


def _official_name(architecture: TransformerArchitecture) -> str | None:
    return next((name for name, published in PUBLISHED.items() if published == architecture), None)
