"""Compares full-size Depth Anything networks with a second writing: python tests/compare_depth_anything.py [NAME ...].

Each network gets seeded random weights. A landscape and a portrait photograph go through the official preprocessing,
written here a second time, and then through the network and through the second writing of it. Prints the largest
difference over the range. One network at a time is in memory; vitl takes 4 GB. `--side 252` is five times as fast.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent / "support"))

from network_answers import difference, photo
from official_state import REAL
from random_checkpoint import random_network
from reference_depth_anything import BASE_PX, reference_forward, reference_preprocess

from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.published.depth_anything import ENTRIES

ALLOWED = 1e-4  # of the range
PUBLISHED = {entry.name: entry for entry in ENTRIES if entry.published}


def compare(entry: CatalogEntry, seed: int, side_px: int) -> float:
    """Print how far a network is from its second writing; return the largest difference over the range."""
    network = random_network(REAL[entry.encoder], family=entry.family, max_depth_m=entry.max_depth_m, seed=seed)
    state = dict(network.state_dict())
    worst = 0.0
    for kind, image in (("landscape", photo("coffee.jpg")), ("portrait", np.rot90(photo("coffee.jpg")))):
        pixels, started = reference_preprocess(np.ascontiguousarray(image), base_px=side_px), time.monotonic()
        batch = torch.from_numpy(pixels)
        with torch.inference_mode():
            found = network(batch)
            expected = reference_forward(state, batch, family=entry.family, max_depth_m=entry.max_depth_m)
        worst = max(worst, difference(found, expected))
        size = "x".join(map(str, batch.shape[2:]))
        print(f"{entry.name} {kind} {size}: {difference(found, expected):.1e}", end=" ")
        print(f"({expected.min():.2f} to {expected.max():.2f}; {time.monotonic() - started:.0f} s)", flush=True)
    return worst


def main() -> int:
    """Compare the named networks, all without names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=(*PUBLISHED, []))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=BASE_PX, help="short side of the input, px")
    options = parser.parse_args()
    worst = max(compare(PUBLISHED[name], options.seed, options.side) for name in options.names or PUBLISHED)
    print(f"worst {worst:.1e}, allowed {ALLOWED:.0e}")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
