"""Compares full-size ZoeDepth networks with transformers: python tests/compare_zoedepth.py [N K NK DA] [--seed 0].

Each network gets seeded random weights. A landscape and a portrait photograph go through isl-org/ZoeDepth's inference
around the network and around its witness. DA is N on Depth Anything V1 Large, with the formulas of that one and
transformers' head as its witness. Prints the largest difference over the range, and the routes of NK. One
network at a time is in memory; it takes 4 GB.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent / "support"))

from network_answers import difference, photo
from official_images import stretched_input
from random_zoedepth import random_zoe
from witness_zoedepth import (
    official_answer,
    official_input,
    transformers_zoe,
    with_margin,
    without_margin,
    witness_on_depth_anything,
)

from depthrt.export.network.zoedepth.architecture import ON_DEPTH_ANYTHING, Variant, published

ALLOWED = 1e-4  # of the range
ON_DEPTH_ANYTHING_PX = (392, 518)
BASE_PX: dict[Variant, tuple[int, int]] = {"N": (384, 512), "K": (384, 768), "NK": (384, 512)}


def compare(variant: Variant, seed: int) -> float:
    """Print how far a network is from its witness; return the largest difference over the range."""
    network = random_zoe(published(variant), seed=seed)
    witness = transformers_zoe(network)
    pixels = torch.from_numpy(cv2.cvtColor(photo("coffee.jpg"), cv2.COLOR_BGR2RGB)).permute(2, 0, 1)[None] / 255
    worst = 0.0
    for kind, image in (("landscape", pixels), ("portrait", pixels.rot90(dims=(2, 3)))):
        padded, margin = with_margin(image)
        batch, started = official_input(padded, BASE_PX[variant]), time.monotonic()
        with torch.inference_mode():
            found = without_margin(network(batch), padded, margin)
        expected = official_answer(witness, image, BASE_PX[variant])
        worst = max(worst, difference(found, expected))
        size = "x".join(map(str, batch.shape[2:]))
        print(
            f"{network.architecture.encoder} {kind} {_sides(image)} -> {size}: {difference(found, expected):.1e}",
            end=" ",
        )
        print(f"({expected.min():.2f} to {expected.max():.2f} m; {time.monotonic() - started:.0f} s)", flush=True)
    return worst


def compare_on_depth_anything(seed: int) -> float:
    """Print how far N on Depth Anything is from its witness; return the largest difference over the range."""
    network = random_zoe(ON_DEPTH_ANYTHING, seed=seed)
    pixels = cv2.cvtColor(photo("coffee.jpg"), cv2.COLOR_BGR2RGB)
    batch, started = torch.from_numpy(stretched_input(pixels, ON_DEPTH_ANYTHING_PX))[None], time.monotonic()
    with torch.inference_mode():
        found = network(batch)
    expected = witness_on_depth_anything(network, batch)
    worst = difference(found, expected)
    print(f"{network.architecture.encoder} {'x'.join(map(str, batch.shape[2:]))}: {worst:.1e}", end=" ")
    print(f"({expected.min():.2f} to {expected.max():.2f} m; {time.monotonic() - started:.0f} s)", flush=True)
    return worst


def _sides(image: Tensor) -> str:
    return f"{image.shape[2]}x{image.shape[3]}"


def main() -> int:
    """Compare the named networks, all without names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=(*BASE_PX, "DA", []))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = options.names or [*BASE_PX, "DA"]
    worst = max(
        compare_on_depth_anything(options.seed) if name == "DA" else compare(name, options.seed) for name in names
    )
    print(f"worst {worst:.1e}, allowed {ALLOWED:.0e}")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
