"""Compares full-size networks of Depth Anything 3 with a second writing of them.

python tests/compare_depth_anything3.py [metric mono small base large giant] [--seed 0]

Each network gets seeded random weights. A landscape and a portrait photograph go through depthrt around the network in
torch, and through the second writing: official preprocessing, network, the sky's fill, metres. Prints the largest
difference over the range, and of the pixels that are sky the share that differs. One network at a time is in memory;
giant takes 12 GB.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent / "support"))

from network_answers import photo
from official_images import da3_input
from random_depth_anything3 import random_da3
from reference_depth_anything3 import reference_infer, reference_outputs

from depthrt.bench.subjects.torch_runner import TorchForm, TorchRunner, torch_contract
from depthrt.engine.images.limits import Limits
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.terms import Kind
from depthrt.export.checkpoint.checkpoint import Checkpoint
from depthrt.export.network.depth_anything3.architecture import Da3Architecture, published
from depthrt.export.network.depth_anything3.network import DepthAnything3

ALLOWED = 1e-4  # of the range
FOCAL_PX = 520.0


@dataclass(frozen=True)
class Subject:
    """A published network."""

    architecture: Da3Architecture
    kind: Kind


SUBJECTS = {
    "metric": Subject(published("vitl", any_view=False), "metric"),
    "mono": Subject(published("vitl", any_view=False), "scale"),
    "small": Subject(published("vits", any_view=True), "scale"),
    "base": Subject(published("vitb", any_view=True), "scale"),
    "large": Subject(published("vitl", any_view=True), "scale"),
    "giant": Subject(published("vitg", any_view=True), "scale"),
}


def compare(name: str, seed: int) -> float:
    """Print how far a network is from its second writing; return the largest difference over the range."""
    subject = SUBJECTS[name]
    network = random_da3(subject.architecture, seed=seed)
    focal_px = FOCAL_PX if subject.kind == "metric" else None
    worst = 0.0
    with _model(network, subject.kind) as model:
        landscape = photo("coffee.jpg")
        for kind, image in (("landscape", landscape), ("portrait", np.ascontiguousarray(np.rot90(landscape)))):
            started = time.monotonic()
            found = model.infer(image, focal_px=focal_px)
            batch = torch.from_numpy(da3_input(image[:, :, ::-1], 504))[None]
            with torch.inference_mode():
                depth, sky = reference_outputs(network.state_dict(), batch)
            shown = None if sky is None else sky[0].numpy()
            expected, is_sky = reference_infer(depth[0].numpy(), shown, image.shape[:2], focal_px)
            apart = float(np.abs(found.values - expected).max() / np.ptp(expected))
            flipped = np.count_nonzero(found.valid == is_sky)
            worst = max(worst, apart)
            print(
                f"{name} ({model.contract.model}) {kind} {_size(image.shape)} -> {_size(batch.shape[2:])}: {apart:.1e}",
                f"({expected.min():.2f} to {expected.max():.2f} {found.unit or 'no unit'}, {is_sky.mean():.0%} sky,",
                f"{flipped} pixels otherwise; {time.monotonic() - started:.0f} s)",
                flush=True,
            )
    return worst


def _model(network: DepthAnything3, kind: Kind) -> DepthModel:
    """Return the network as a model."""
    checkpoint = Checkpoint(
        path=Path("random"),
        sha256="0" * 64,
        family="depth-anything-3",
        kind=kind,
        max_depth_m=None,
        architecture=network.architecture,
        tensors={},
        licence="unknown",
        remarks=(),
    )
    return DepthModel(TorchRunner(network, TorchForm()), torch_contract(checkpoint, None, "fp32"), limits=Limits())


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]}x{shape[1]}"


def main() -> int:
    """Compare the named networks, all without names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=(*SUBJECTS, []))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    worst = max(compare(name, options.seed) for name in options.names or SUBJECTS)
    print(f"worst {worst:.1e}, allowed {ALLOWED:.0e}")
    return int(not worst <= ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
