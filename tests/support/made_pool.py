"""A pool of made scenes instead of rendered ones: grey shows depth, so that a test can compare image and depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from depthrt.finetune.data.appearance import Appearance
from depthrt.finetune.data.scene_pool import PoolSource, Stage

SHARD = 4  # scenes in a file; the test sets scene_pool.SHARD to it
UNCHANGED = Appearance().milder(0)
TWO_STAGES = (Stage(0, ((32, 64), (64, 32)), 6), Stage(10, ((64, 64),), 3))
FARTHEST_M = 10.0  # shown as white, like the sky


def write_pool(directory: Path, *, shards: int = 2) -> Path:
    """Write scenes of 56x70 px: grey is depth over FARTHEST_M, ten rows of sky are white."""
    directory.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        rows, columns = np.mgrid[:56, :70].astype(np.float32)
        depth_m = np.stack([1 + shard + scene + rows / 28 + columns / 70 for scene in range(SHARD)])
        grey = np.round(depth_m / FARTHEST_M * 255).astype(np.uint8)
        depth_m[:, :10], grey[:, :10] = np.inf, 255
        np.save(directory / f"images-{shard:05d}.npy", np.repeat(grey[..., None], 3, axis=3))
        np.save(directory / f"depth-{shard:05d}.npy", depth_m.astype(np.float16))
    return directory


def pool_source(directory: Path, *, seed: int = 0, shards: int = 2, stages: Sequence[Stage] = TWO_STAGES) -> PoolSource:
    """Return a source in unchanged appearance."""
    return PoolSource(directory, shards=shards, stages=stages, seed=seed, appearance=UNCHANGED)
