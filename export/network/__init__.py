"""The torch networks, exact to the published numbers and clean to export."""

from __future__ import annotations

from .architecture import Architecture, ConvArchitecture, Family
from .conv_depth import ConvDepth, fold_norms
from .depth_anything import DepthAnything, randomise
from .encoder import AttentionForm

__all__ = [
    "AnyArchitecture",
    "Architecture",
    "AttentionForm",
    "ConvArchitecture",
    "ConvDepth",
    "DepthAnything",
    "Family",
    "Network",
    "fold_norms",
    "make_network",
    "randomise",
]

AnyArchitecture = Architecture | ConvArchitecture
Network = DepthAnything | ConvDepth


def make_network(architecture: AnyArchitecture, *, family: Family, max_depth_m: float | None = None) -> Network:
    """Return the network of an architecture, its weights whatever torch gives them.

    Args:
        architecture: Decides which network.
        family: Decides which blocks of a transformer feed its head.
        max_depth_m: Upper end of a metric network's output; None for inverse depth.
    """
    if isinstance(architecture, ConvArchitecture):
        return ConvDepth(architecture)
    return DepthAnything(architecture, family=family, max_depth_m=max_depth_m)
