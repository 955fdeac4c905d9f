"""The official conventions of a family, by its name: for files whose tensors do not show the network."""

from __future__ import annotations

from dataclasses import replace

from ...engine.terms import DEPTH_ANYTHING, Family
from ..families.entry import CatalogEntry
from ..families.rules import HALF, IMAGENET_MEAN, IMAGENET_STD, Conventions
from ..families.table import rules_of
from ..families.zoedepth import conventions_at
from ..network.depth_anything3.architecture import published

_MIDAS_PX, _DEPTH_ANYTHING_PX = 32, 14  # sides are multiples of it in the official code
_CONVOLUTIONAL = "midas_v21"  # begins the names of MiDaS' networks without attention
_MULTIPLES_PX: dict[Family, int] = {
    "depth-anything-v1": _DEPTH_ANYTHING_PX,
    "depth-anything-v2": _DEPTH_ANYTHING_PX,
    "depth-anything-3": _DEPTH_ANYTHING_PX,
    "midas": _MIDAS_PX,
    "zoedepth": _MIDAS_PX,
}


def conventions_of_family(
    family: Family, entry: CatalogEntry | None = None, *, sky: bool = False
) -> Conventions | None:
    """Return how the official code brings images to a family's networks; None if that depends on the network.

    Args:
        family: "depth-anything-v2", "midas", ...
        entry: The published model, if it is known.
        sky: Whether the graph has an output for the sky.
    """
    if family in DEPTH_ANYTHING:
        return rules_of(family).conventions(None, family)
    if family == "depth-anything-3":
        found = rules_of(family).conventions(published("vitl", any_view=False), family)
        return found if sky else replace(found, sky_from=None)
    if family == "zoedepth":
        base_px = (384, 512) if entry is None or entry.base_px is None else entry.base_px
        return replace(conventions_at(base_px), mirrored=False)
    if family != "midas" or entry is None or entry.base_px is None:
        return None
    convolutional = entry.encoder.startswith(_CONVOLUTIONAL)
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if convolutional else (HALF, HALF)
    return Conventions(entry.base_px, entry.rule, "bicubic", mean, std, attention=not convolutional)


def multiple_of_family(family: str) -> int | None:
    """Return what the sides of a family's inputs are multiples of, in px; None if it is not known."""
    return next((multiple for known, multiple in _MULTIPLES_PX.items() if known == family), None)
