"""Tiny MiDaS v2.1 networks with seeded random weights."""

from __future__ import annotations

from depthrt.export.network.midas.v21.architecture import LargeArchitecture, SmallArchitecture
from depthrt.export.network.midas.v21.midas_v21 import MidasV21, randomise

TINY_LARGE = LargeArchitecture(stem=8, inner=16, groups=4, depths=(1, 2, 1, 1), features=8)
TINY_SMALL = SmallArchitecture(stem=8, widths=(8, 8, 16, 16, 24, 24, 32), depths=(1, 2, 1, 2, 1, 1, 1), features=8)


def random_v21(architecture: LargeArchitecture | SmallArchitecture, seed: int = 0) -> MidasV21:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = MidasV21(architecture).eval()
    randomise(network, seed)
    return network
