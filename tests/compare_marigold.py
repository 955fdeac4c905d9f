"""Compares files of tiny Marigold networks with diffusers' pipeline: python tests/compare_marigold.py [--photos 100].

Each published variant is exported from a folder with seeded weights, dynamic and static, and runs in ONNX Runtime and
OpenVINO; photographs smaller and larger than the side that images are computed at go through the file and through
MarigoldDepthPipeline. Prints the largest difference, of [0, 1], and whether the answers to many photographs are finite.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent / "support"))

from half_drift import photographs  # type: ignore[import-not-found]
from made_marigold import pipeline_answer, write_folder
from network_answers import photo

import depthrt
from depthrt.engine.runners.choice import Choice
from depthrt.export.network.marigold.architecture import Variant
from depthrt.export.to_onnx import export_checkpoint

ALLOWED = 5e-5  # of [0, 1]
CASES: tuple[tuple[Variant, int], ...] = (
    ("v1-1", 1),
    ("v1-1", 4),
    ("v1-1", 10),
    ("v1-0", 10),
    ("lcm", 1),
    ("e2e-ft", 1),
)
STATIC_PX = (64, 96)  # as images of 2:3 are computed
SIZES_PX = ((40, 60), (400, 600), (600, 400), (37, 41), (40, 55))  # the first two fill a static input


def compare(folder: Path, variant: Variant, steps: int) -> float:
    """Print how far the files of a variant are from the pipeline; return the largest difference."""
    zeros = {"family": "marigold", "noise": "zeros"} if variant == "e2e-ft" else {}
    worst = 0.0
    source = write_folder(folder / f"{variant}-{steps}", variant)
    for size in (None, STATIC_PX):
        path, started = folder / f"{variant}-{steps}-{'dynamic' if size is None else 'static'}.onnx", time.monotonic()
        export_checkpoint(source, path, steps=steps, size=size, **zeros)  # type: ignore[arg-type]
        print(f"{path.stem}: export {time.monotonic() - started:.0f} s", end="", flush=True)
        for runner in ("onnxruntime", "openvino"):
            with depthrt.load(path, device="cpu", choice=Choice(runner, "fp32", 1)) as model:
                sizes = SIZES_PX if size is None else SIZES_PX[:2]
                found = max(_difference(model, variant, steps, size_px) for size_px in sizes)
            worst = max(worst, found)
            print(f", {runner} {found:.1e}", end="", flush=True)
        print()
    return worst


def _difference(model: depthrt.DepthModel, variant: Variant, steps: int, size_px: tuple[int, int]) -> float:
    bgr = _resized(photo("coffee.jpg"), size_px)
    first, second = model.infer(bgr).values, model.infer(bgr).values
    assert np.array_equal(first, second), "the same image twice gives the same depth"
    expected = pipeline_answer(variant, np.ascontiguousarray(bgr[..., ::-1]), steps=steps)
    return float(np.abs(first - expected).max())


def _resized(bgr: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(bgr, size_px[::-1], interpolation=cv2.INTER_AREA), np.uint8)  # OpenCV takes (w, h)


def count_not_finite(path: Path, photos: int) -> int:
    """Return how many photographs a file answers with values that are not finite or outside [0, 1]."""
    bad = 0
    with depthrt.load(path, device="cpu") as model:
        for image in islice(photographs(), photos):
            values = model.infer(image).values
            bad += int(not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1))
    return bad


def main() -> int:
    """Compare every variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        worst = max(compare(folder, *case) for case in CASES)
        bad = count_not_finite(folder / "v1-1-4-dynamic.onnx", options.photos)
    print(f"worst {worst:.1e}, allowed {ALLOWED:.0e}; {bad} of {options.photos} photographs not finite in [0, 1]")
    return int(worst > ALLOWED or bad > 0)


if __name__ == "__main__":
    sys.exit(main())
