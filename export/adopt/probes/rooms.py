"""The pictures of the probes: rendered rooms with exact depth (`python -m depthrt.finetune.scenes.known_rooms`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....engine.images.preprocess import Float32
from ....engine.images.read import read_image

FOLDER = Path(__file__).with_name("rooms")


@dataclass(frozen=True, slots=True)
class Room:
    """A picture with known depth.

    Args:
        image: (H, W, 3) uint8, BGR.
        depth_m: (H / n, W / n) float32, exact at every n-th row and column from the first; 0 for the sky.
        focal_px: Focal length in px of the image.
    """

    image: NDArray[np.uint8]
    depth_m: Float32
    focal_px: float

    @property
    def known(self) -> NDArray[np.bool_]:
        """Return where `depth_m` is depth."""
        return self.depth_m > 0

    def at_depth(self, values: Float32) -> Float32:
        """Return what an answer (H, W) has at the pixels of `depth_m`."""
        stride_px = self.image.shape[0] // self.depth_m.shape[0]
        return values[::stride_px, ::stride_px]


@lru_cache(maxsize=1)
def read_rooms() -> tuple[Room, ...]:
    """Return the rooms that come with depthrt."""
    with np.load(FOLDER / "depth.npz") as known:
        depth_m, focal_px = known["depth_m"], known["focal_px"]
    images = [read_image(FOLDER / f"room-{number}.jpg") for number in range(len(depth_m))]
    return tuple(Room(*facts) for facts in zip(images, depth_m, map(float, focal_px), strict=True))
