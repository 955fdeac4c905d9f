"""Makes the torch network of an architecture, transformer or convolutional."""

from __future__ import annotations

from ...engine.terms import Family
from .architecture import Architecture, ConvArchitecture
from .conv_depth import ConvDepth
from .depth_anything import DepthAnything

AnyArchitecture = Architecture | ConvArchitecture
Network = DepthAnything | ConvDepth


def make_network(architecture: AnyArchitecture, *, family: Family, max_depth_m: float | None = None) -> Network:
    """Return the network of an architecture, with torch's initial weights.

    Args:
        architecture: Its type decides between the two networks.
        family: Decides which blocks of a transformer feed the head.
        max_depth_m: Upper end of a metric network's output; None for inverse depth.
    """
    if isinstance(architecture, ConvArchitecture):
        return ConvDepth(architecture)
    return DepthAnything(architecture, family=family, max_depth_m=max_depth_m)
