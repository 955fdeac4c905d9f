"""A small data set of rooms with mirrors on disk: tilted planes whose brightness is their inverse depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from depthrt.bench.datasets.manifest import MANIFEST, Entry, write_manifest
from depthrt.bench.datasets.regions import join_regions, write_regions

SIZE_PX = (56, 70)  # (h, w)
FRAMES = 2  # of a scene


def write_rooms(folder: Path, scenes: int, *, mirrors: bool = True, seed: int = 0, space: str = "") -> Path:
    """Write FRAMES pairs of each scene, every second with a mirror that is a plane, and their manifest.

    Args:
        folder: Created.
        scenes: Number of scenes.
        mirrors: Whether there are mirrors and masks.
        seed: Of the planes.
        space: Put into the names of files.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    entries = []
    for scene in range(scenes):
        for frame in range(FRAMES):
            name = f"{scene:02d}{space}_{frame}"
            entries.append(_write_pair(folder, name, f"scene {scene}", rng, mirror=mirrors and frame % 2 == 0))
    write_manifest(folder / MANIFEST, entries)
    return folder


def _write_pair(folder: Path, name: str, scene: str, rng: np.random.Generator, *, mirror: bool) -> Entry:
    rows, columns = (np.linspace(0, 1, side) for side in SIZE_PX)
    slopes = rng.uniform(0.05, 0.4, 5)
    inverse = 0.2 + slopes[0] * rows[:, None] + slopes[1] * columns
    shown = inverse.copy()
    inside = np.zeros(SIZE_PX, bool)
    if mirror:
        top, left = int(rng.integers(4, 20)), int(rng.integers(4, 30))
        inside[top : top + 28, left : left + 28] = True
        shown[inside] = rng.uniform(0.2, 1.0, int(inside.sum()))  # what is reflected has its own depth
    grain = rng.uniform(0, 0.05, (*SIZE_PX, 3))
    image = np.clip(255 * (0.8 * shown[..., None] + grain), 0, 255).astype(np.uint8)
    cv2.imwrite(str(folder / f"{name}.png"), image)
    np.save(folder / f"{name}_depth.npy", (1 / inverse).astype(np.float32))
    if mirror:
        write_regions(folder / f"{name}_regions.png", join_regions({"mirror": inside}))
    mask = f"{name}_regions.png" if mirror else None
    return Entry(f"{name}.png", f"{name}_depth.npy", scene, mask)
