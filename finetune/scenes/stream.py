"""Scenes batch by batch, rendered by several processes."""

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

# For glibc: what is freed stays, in large pages. Rendering is many arrays that live shortly; measured in turns,
# two processes on two cores, 44 scenes/s for 39.
_MEMORY = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 28),
}


@dataclass(frozen=True, slots=True)
class _Batches(Dataset[Scenes]):
    """Batches of seeds that are rendered when asked for."""

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
    """Yield scenes in the order of their seeds, the same as render_scenes gives, from several cores.

    Args:
        seeds: One a scene.
        batch: Scenes that are yielded together; the last batch may have fewer.
        workers: Processes, one a core; each takes two seconds to start. 0 renders here. A script that asks for
            workers needs the usual `if __name__ == "__main__":`.
        height_px, width_px, setting, texture_seed: As render_scenes takes them.
    """
    batches = _Batches(tuple(seeds), batch, height_px, width_px, setting, texture_seed)
    # A forked process would inherit locks of torch's threads.
    context = torch.multiprocessing.get_context("spawn") if workers else None
    loader = DataLoader(batches, batch_size=None, num_workers=workers, multiprocessing_context=context)
    with _environment(_MEMORY if workers else {}):
        rendered = iter(loader)  # the processes start here
    yield from rendered


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    """Have processes that start meanwhile see more in their environment; what the user set there stays."""
    new = {name: value for name, value in added.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)
