"""Files of images and measured depth for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.engine.images.write import write_image

FLOAT32 = 3e-7  # planar depth to distance and back: two roundings to float32
HALF_A_MM = 5e-4 + 1e-6
HALF_A_CM = 5e-3 + 1e-4
SIZE_PX = (24, 32)
SEED = 41  # its street shows sky


def depth_map(seed: int = 0) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.random.default_rng(seed).uniform(0.5, 9.0, SIZE_PX).astype(np.float32)
    return values


def photo(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE_PX, 3)).astype(np.uint8)


def holed() -> NDArray[np.bool_]:
    valid = np.ones(SIZE_PX, np.bool_)
    valid[3:5, 7:] = False
    return valid


def put(path: Path, data: NDArray[np.generic]) -> Path:
    """Write a photograph, a 16-bit map or an array, by the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, data)
    elif data.dtype == np.uint16:
        Image.fromarray(data).save(path)
    else:
        write_image(path, data)  # type: ignore[arg-type]
    return path


def known_apart(truth: TrueDepth, expected: NDArray[np.floating]) -> float:
    """Return the largest difference where the truth is known."""
    return float(np.abs(truth.values - expected)[truth.valid].max())


def pairs_in(folder: Path) -> Path:
    put(folder / "rgb" / "a.png", photo())
    put(folder / "depth" / "a.npy", depth_map())
    return folder
