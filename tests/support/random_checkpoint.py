"""Makes a checkpoint in the official layout with seeded random weights: python random_checkpoint.py OUT.pth."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from official_state import REAL

from depthrt.engine.terms import Family
from depthrt.export.network.architecture import Architecture
from depthrt.export.network.depth_anything import DepthAnything, randomise

TINY = Architecture(
    width=64,
    depth=4,
    patch_px=14,
    table_side=37,
    feed_forward="mlp",
    hidden=128,
    features=16,
    reassembled=(16, 16, 24, 24),
)
VITS, VITB, VITL = (REAL[encoder] for encoder in ("vits", "vitb", "vitl"))


def random_network(
    architecture: Architecture, *, family: Family = "depth-anything-v2", max_depth_m: float | None = None, seed: int = 0
) -> DepthAnything:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = DepthAnything(architecture, family=family, max_depth_m=max_depth_m).eval()
    randomise(network, seed)
    return network


def save_official(network: DepthAnything, path: Path) -> Path:
    """Write the state dict as the official repositories do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return path


if __name__ == "__main__":
    target = save_official(random_network(VITS), Path(sys.argv[1]))
    print(f"{target}: Depth Anything V2 Small in the official layout, with RANDOM weights (seed 0)")  # noqa: T201
