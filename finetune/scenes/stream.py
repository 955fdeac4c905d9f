"""Streams batches of scenes that several processes render."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from .render import render_scenes
from .scene import Scenes

# Options of glibc: freed memory is kept, in large pages, because rendering makes many short-lived arrays. Measured in
# turns, two processes on two cores: 44 scenes/s with the options, 39 without.
_MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
}


@dataclass(frozen=True, slots=True)
class _Batches(Dataset[Scenes]):
    """Batches of scenes by number, rendered on access."""

    seeds: tuple[int, ...]
    batch: int
    height_px: int
    width_px: int
    setting: str
    texture_seed: int

    def __len__(self) -> int:
        return math.ceil(len(self.seeds) / self.batch)

    def __getitem__(self, index: int) -> Scenes:
        return render_scenes(
            self.seeds[index * self.batch : (index + 1) * self.batch],
            height_px=self.height_px,
            width_px=self.width_px,
            setting=self.setting,
            texture_seed=self.texture_seed,
        )


def stream_scenes(
    seeds: Sequence[int],
    *,
    batch: int = 16,
    workers: int = 2,
    height_px: int = 256,
    width_px: int = 256,
    setting: str = "mixed",
    texture_seed: int = 0,
) -> Iterator[Scenes]:
    """Yield the scenes of render_scenes in the order of their seeds, rendered on several cores.

    Args:
        seeds: Seed of each scene.
        batch: Number of scenes yielded together; the last batch may have fewer.
        workers: Number of processes, each of which takes two seconds to start; 0 renders in this process. A script
            that asks for workers needs `if __name__ == "__main__":`, because they import it.
        height_px, width_px, setting, texture_seed: See render_scenes.
    """
    batches = _Batches(tuple(seeds), batch, height_px, width_px, setting, texture_seed)
    # Spawned, because a forked process would inherit locks of torch's threads.
    context = torch.multiprocessing.get_context("spawn") if workers else None
    loader = DataLoader(batches, batch_size=None, num_workers=workers, multiprocessing_context=context)
    with _environment(_MEMORY if workers else {}):
        rendered = iter(loader)  # the processes start here
    yield from rendered


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    """Add variables to the environment of processes that start meanwhile, unless the user has set them."""
    new = {name: value for name, value in added.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)
