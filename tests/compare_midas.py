"""Compares full-size MiDaS networks with independent witnesses: python tests/compare_midas.py [NAME ...] [--seed 0].

Each network gets seeded random weights. A landscape and a portrait photograph go through the official preprocessing,
written here a second time, through the network and its witness, and back to the photograph's size. Prints the largest
difference over the range. One network at a time is in memory; the large ones take 2 GB.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent / "support"))

import witness_midas
from made_midas_swin import random_swin, transformers_network
from made_midas_v21 import random_v21
from network_answers import photo
from random_midas import random_midas
from reference_midas import reference_midas
from reference_midas_v21 import reference_large, reference_small

from depthrt.export.network.midas.architecture import PUBLISHED as TRANSFORMERS
from depthrt.export.network.midas.architecture import BeitArchitecture
from depthrt.export.network.midas.swin.architecture import PUBLISHED as SWINS
from depthrt.export.network.midas.v21.architecture import PUBLISHED_LARGE, PUBLISHED_SMALL

ALLOWED = 1e-4  # of the range
IMAGENET = (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))
HALF = (np.full(3, 0.5), np.full(3, 0.5))

Answer = Callable[[Tensor], Tensor]


def square(side_px: int, height: int, width: int) -> tuple[int, int]:
    """Return (h, w): the aspect is not kept."""
    return side_px, side_px


def upper_bound(side_px: int, height: int, width: int) -> tuple[int, int]:
    """Return (h, w), multiples of 32 of at most side_px each."""
    scale = min(side_px / height, side_px / width)
    sides = []
    for side in (height, width):
        rounded = int(np.round(scale * side / 32) * 32)
        sides.append(int(np.floor(scale * side / 32) * 32) if rounded > side_px else rounded)
    return sides[0], sides[1]


def minimal(side_px: int, height: int, width: int) -> tuple[int, int]:
    """Return (h, w), the nearest multiples of 32 for the scale that changes the image least."""
    scale = min((side_px / height, side_px / width), key=lambda factor: abs(1 - factor))
    return int(np.round(scale * height / 32) * 32), int(np.round(scale * width / 32) * 32)


def preprocess(image: np.ndarray, size_px: tuple[int, int], means: tuple[np.ndarray, np.ndarray]) -> Tensor:
    """Return (1, 3, h, w) float32 from (H, W, 3) uint8 BGR, in float64 until the end as upstream."""
    pixels = cv2.resize(image[:, :, ::-1] / 255.0, size_px[::-1], interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(((pixels - means[0]) / means[1]).transpose(2, 0, 1)[None].astype(np.float32))


def subjects(name: str, seed: int) -> tuple[nn.Module, Answer]:
    """Return a network and its witness."""
    if name in SWINS:
        network = random_swin(SWINS[name], seed)
        witness = transformers_network(network)
        return network, lambda batch: witness(pixel_values=batch).predicted_depth
    if name in TRANSFORMERS:
        return transformer_subjects(name, seed)
    large = name == "midas_v21_384"
    convolutional = random_v21(PUBLISHED_LARGE if large else PUBLISHED_SMALL, seed)
    state = convolutional.state_dict()
    reference = reference_large if large else reference_small
    return convolutional, lambda batch: reference(state, batch.clone())


def transformer_subjects(name: str, seed: int) -> tuple[nn.Module, Answer]:
    """Return a transformer and its witness, which computes with the same tensors."""
    network = random_midas(TRANSFORMERS[name], seed=seed)
    if isinstance(network.architecture, BeitArchitecture):
        theirs = witness_midas.transformers_network(network)
        return network, lambda batch: witness_midas.witness_answer(theirs, batch)
    state = network.state_dict()
    return network, lambda batch: reference_midas(state, batch)


def compare(name: str, seed: int) -> float:
    """Print how far a network is from its witness; return the largest difference over the range."""
    network, witness = subjects(name, seed)
    side_px = int(name.rpartition("_")[2])
    fit, means = (square, HALF) if name in SWINS else (upper_bound, IMAGENET)
    if name in TRANSFORMERS:
        fit, means = minimal, HALF
    worst = 0.0
    landscape = photo("coffee.jpg")
    for kind, image in (("landscape", landscape), ("portrait", np.ascontiguousarray(np.rot90(landscape)))):
        height, width = image.shape[:2]
        batch = preprocess(image, fit(side_px, height, width), means)
        with torch.inference_mode():
            answers = [one(batch)[0].numpy() for one in (network, witness)]
        found, expected = (cv2.resize(depth, (width, height), interpolation=cv2.INTER_CUBIC) for depth in answers)
        difference = float(np.abs(found - expected).max() / np.ptp(expected))
        level = f"{expected.min():.2f} to {expected.max():.2f}"
        print(f"{name} {kind} {height}x{width} -> {'x'.join(map(str, batch.shape[2:]))}: {difference:.1e} ({level})")
        worst = max(worst, difference)
    return worst


def main() -> int:
    """Compare the named networks, all without names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = ("midas_v21_small_256", "midas_v21_384", *SWINS, *TRANSFORMERS)
    parser.add_argument("names", nargs="*", choices=(*every, []))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    worst = max(compare(name, options.seed) for name in options.names or every)
    print(f"worst {worst:.1e}, allowed {ALLOWED:.0e}")
    return int(worst > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
