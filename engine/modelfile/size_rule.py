"""The size rule of a contract: how an image's size becomes the network's input size, and what lies beside the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from ..system.field_types import Range
from ..system.records import Mismatch

Rule = Literal[
    "lower_bound", "letterbox", "minimal", "upper_bound", "square", "stretch", "longest_floor", "longest_nearest"
]
Pad = Literal["mirror", "edge_end"]
Margin = Literal["none", "zoe"]
Side = Annotated[int, Range(1, 1 << 14)]  # px

_STATIC: tuple[Rule, ...] = ("letterbox", "square", "stretch")
_ONE_SIDE: tuple[Rule, ...] = ("square", "longest_floor", "longest_nearest")  # whose base has equal sides


@dataclass(frozen=True, slots=True)
class SizeRule:
    """How an image's size becomes the network's input size.

    Args:
        base_px: (h, w) that the rule aims at; the exact input size of a static graph.
        multiple_px: Both input sides are multiples of this.
        rule: Of a dynamic graph, which keep the aspect up to the rounding to multiples: "lower_bound": both sides are
            at least base. "upper_bound": both are at most base. "minimal": the side whose scale is nearer to 1 gets
            its base. "longest_floor": the longest side gets the base, the other is rounded down to a pixel.
            "longest_nearest": the same, and each side is then rounded to the nearest multiple.
            Of a static graph: "letterbox": the image is fitted inside base, its aspect kept, centred, and mirrored
            around. "square" and "stretch": the image is resized to base, its aspect not kept; base has equal sides, or
            any.
        pad: What fills the input beside the image: "mirror", the image mirrored on both sides; "edge_end", the last
            row and column repeated below and on the right.
        margin: What is put around the image before the resize and cut off after the last one: "none", or "zoe", the
            mirrored image, by ZoeDepth's rule.
    """

    base_px: tuple[Side, Side]
    multiple_px: Side
    rule: Rule
    pad: Pad = "mirror"
    margin: Margin = "none"

    @property
    def static(self) -> bool:
        """Whether the graph takes inputs of base_px only."""
        return self.rule in _STATIC

    def check(self) -> None:
        """Raise Mismatch for values that contradict each other."""
        if any(side % self.multiple_px for side in self.base_px):
            raise Mismatch(
                ".base_px", f"is {in_px(self.base_px)}, expected multiples of multiple_px, {self.multiple_px}"
            )
        if self.rule in _ONE_SIDE and self.base_px[0] != self.base_px[1]:
            raise Mismatch(".base_px", f"is {in_px(self.base_px)}, expected equal sides for rule {self.rule}")
        if self.pad == "edge_end" and self.rule != "longest_floor":  # others have no padding, or have it on both sides
            raise Mismatch(".pad", f"is edge_end, expected mirror for rule {self.rule}")
        if self.margin == "zoe" and self.pad == "edge_end":
            raise Mismatch(".margin", "is zoe, expected none for pad edge_end")


def in_px(size_px: tuple[int, int]) -> str:
    """Return (h, w) for people: "518x686"."""
    return f"{size_px[0]}x{size_px[1]}"
