"""Measures the drift of half precision: python tests/half_drift.py NAME [...] [--precision fp16] -o OUT.json.

A published network gets seeded random weights and is exported in float32. Photographs of scikit-image, varied by turns,
crops, light and noise, go through the file in ONNX Runtime, and through the torch network with every operator rounded
to the half precision. Counts answers that are not finite. The figures of export/families/half.py are made with it.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.data import data_dir

sys.path.insert(0, str(Path(__file__).parent / "support"))

from made_midas_swin import random_swin
from made_midas_v21 import random_v21
from random_depth_anything3 import random_da3
from random_midas import random_midas
from random_zoedepth import random_zoe

import depthrt
from depthrt.bench.machine.describe import describe_machine, describe_run
from depthrt.engine.images.preprocess import fit_image, make_batch
from depthrt.engine.modelfile.canary import drift
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.system.files import atomic_path
from depthrt.engine.terms import PRECISIONS, Kind, Precision
from depthrt.export.families.half import HalfDrift
from depthrt.export.network.depth_anything3 import architecture as da3
from depthrt.export.network.midas.architecture import PUBLISHED as TRANSFORMERS
from depthrt.export.network.midas.swin.architecture import PUBLISHED as SWINS
from depthrt.export.network.midas.v21.architecture import (
    PUBLISHED_LARGE,
    PUBLISHED_SMALL,
    LargeArchitecture,
    SmallArchitecture,
)
from depthrt.export.network.network import Network
from depthrt.export.network.zoedepth.architecture import published
from depthrt.export.parity.parity import torch_answer
from depthrt.export.parity.rounding import rounded_answer
from depthrt.export.to_onnx import export_checkpoint

PHOTOGRAPHS = (
    *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png"),
    *("gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "page.png", "retina.jpg"),
    *("rocket.jpg", "text.png"),
)
V21: dict[str, LargeArchitecture | SmallArchitecture] = {
    "midas_v21_384": PUBLISHED_LARGE,
    "midas_v21_small_256": PUBLISHED_SMALL,
}
DA3 = {
    found.encoder: found
    for found in (
        *(da3.published(size, any_view=True) for size in ("vits", "vitb")),
        da3.published("vitl", any_view=False),
    )
}
ZOE = {"ZoeD_M12_N": published("N"), "ZoeD_M12_K": published("K"), "ZoeD_M12_NK": published("NK")}
TRAINED_M = 80.0  # of ZoeDepth K
LARGEST_PX = 1024

Image = NDArray[np.uint8]


def random_network(name: str, seed: int) -> Network:
    """Return a published network with random weights."""
    if name in SWINS:
        return random_swin(SWINS[name], seed)
    if name in DA3:
        return random_da3(DA3[name], seed=seed)
    if name in V21:
        return random_v21(V21[name], seed)
    if name in ZOE:
        return random_zoe(ZOE[name], max_depth_m=TRAINED_M if name == "ZoeD_M12_K" else None, seed=seed)
    return random_midas(TRANSFORMERS[name], seed=seed)


def photographs() -> Iterator[Image]:
    """Yield (H, W, 3) uint8 BGR: every photograph as it is, then varied one way after the other."""
    noise = np.random.default_rng(0)
    ways = (
        lambda image: image,
        lambda image: np.ascontiguousarray(np.rot90(image)),
        lambda image: image // 6,
        lambda image: cv2.convertScaleAbs(image, alpha=2.5, beta=40),
        lambda image: image[image.shape[0] // 3 :, : image.shape[1] // 2],
        lambda image: cv2.add(image, noise.integers(0, 80, image.shape, np.uint8)),
        lambda image: 255 - image,
    )
    for vary, name in product(ways, PHOTOGRAPHS):
        image = cv2.imread(str(Path(data_dir) / name))
        assert image is not None, name
        scale = min(1.0, LARGEST_PX / max(image.shape[:2]))
        yield np.ascontiguousarray(vary(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)))


def measure(
    name: str, *, seed: int, images: int, precision: Precision, size: int | None, folder: Path
) -> dict[str, Any]:
    """Return the figures of one network."""
    network = random_network(name, seed)
    checkpoint = folder / f"{name}.pt"
    torch.save(network.state_dict(), checkpoint)
    kind: Kind = "metric" if name in ZOE else "scale" if name in DA3 else "inverse"
    file = export_checkpoint(checkpoint, folder / f"{name}.onnx", kind=kind, size=size).path
    checkpoint.unlink()
    contract, half = read_contract(file), rounded_answer(network, precision)
    drifts, not_finite, files_not_finite = [], 0, 0
    with depthrt.load(file) as model:
        for number, image in enumerate(islice(photographs(), images), start=1):
            files_not_finite += not np.isfinite(model.infer(image).values).all()
            batch = make_batch(image, contract, fit_image(contract.size, image.shape[:2]), "bgr")
            found = half(batch)[0]
            finite = bool(np.isfinite(found).all())
            not_finite += not finite
            if finite:
                drifts.append(drift(found, torch_answer(network, batch)[0]))
            print(f"\r{name} {number}/{images}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    mean, worst = float(np.mean(drifts or [0])), float(max(drifts, default=0))
    figures = HalfDrift(name, precision, images, mean, worst, not_finite)
    found = {key: value for key, value in asdict(figures).items() if key != "most"}
    return {**found, "fp32_not_finite": files_not_finite, "seed": seed, "base_px": contract.size.base_px}


def main() -> None:
    """Measure the named networks; the file is written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=(*V21, *SWINS, *TRANSFORMERS, *ZOE, *DA3))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--precision", choices=PRECISIONS, default="fp16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, help="As in export; default: the network's own.")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    started, begun, rows = datetime.now(UTC), time.monotonic(), []
    for name in options.names:
        with TemporaryDirectory() as folder:
            rows.append(
                measure(
                    name,
                    seed=options.seed,
                    images=options.images,
                    precision=options.precision,
                    size=options.size,
                    folder=Path(folder),
                )
            )
        print(json.dumps(rows[-1]))
        made = describe_run(shlex.join(sys.argv), {}, started=started, took_s=time.monotonic() - begun)
        with atomic_path(options.out) as unfinished:
            found = {"machine": asdict(describe_machine()), "made": asdict(made), "networks": rows}
            unfinished.write_text(json.dumps(found, indent=1, default=str) + "\n")


if __name__ == "__main__":
    main()
