"""Scenes batch by batch, rendered by several processes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset

from .render import render_scenes
from .scene import Scenes


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
    yield from DataLoader(batches, batch_size=None, num_workers=workers, multiprocessing_context=context)
