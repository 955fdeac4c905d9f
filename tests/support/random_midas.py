"""Tiny networks of MiDaS with seeded random weights."""

from __future__ import annotations

from depthrt.export.network.midas.architecture import (
    BeitArchitecture,
    HybridArchitecture,
    TransformerArchitecture,
    VitArchitecture,
)
from depthrt.export.network.midas.network import Midas
from depthrt.export.network.midas.randomise import randomise

# Two heads; tables for an input of 96 px.
TINY_BEIT = BeitArchitecture(128, 4, 6, 128, 16, (16, 16, 24, 24))
TINY_VIT = VitArchitecture(128, 4, 6, 128, 16, (16, 16, 24, 24))
TINY_HYBRID = HybridArchitecture(32, (128, 128, 128), (1, 2, 1), 128, 4, 6, 128, 16, (128, 128, 24, 24))


def random_midas(architecture: TransformerArchitecture, *, seed: int = 0) -> Midas:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = Midas(architecture).eval()
    randomise(network, seed)
    return network
