"""The network of an architecture."""

from __future__ import annotations

from .architecture import Architecture, ConvArchitecture, Family
from .conv_depth import ConvDepth
from .depth_anything import DepthAnything

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
