"""Whether batches gain: the time of an image in a batch over that of an image by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np

from ...engine.images.read import read_image
from ...engine.model.depth_model import DepthModel

BATCHES = (1, 2, 4)
GAIN = 0.95  # of the time of single images; above, batches are not worth the wait for a second image


@dataclass(frozen=True, slots=True)
class BatchCost:
    """What an image costs in a batch.

    Args:
        images: Of the batch.
        ms_per_image: Least over the rounds, which other programs disturbed least.
        cpu_ms_per_image: CPU time of the same, of all threads; other programs add nothing to it.
        against_single: ms_per_image over that of single images; below 1 a batch gains.
    """

    images: int
    ms_per_image: float
    cpu_ms_per_image: float
    against_single: float


def measure_batches(model: DepthModel, photo: bytes, sizes: Sequence[int] = BATCHES, *, rounds: int) -> list[BatchCost]:
    """Time the network on batches of one photograph, all sizes in turns within each round.

    Args:
        model: Whose file takes any batch; the others give no figures.
        photo: An encoded image.
        sizes: Images of a batch, 1 among them.
        rounds: Number of turns; the least time counts.
    """
    if model.contract.batch is not None:
        return []
    single = model.prepare(read_image(photo)).batch
    batches = {size: np.repeat(single, size, axis=0) for size in sizes}  # (N, 3, h, w)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    cpu_times: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(rounds + 1):  # the first round warms
        for size, batch in batches.items():
            start, cpu_s = perf_counter(), process_time()
            model.runner.run(batch)
            if number:
                times[size].append((perf_counter() - start) / size * 1e3)
                cpu_times[size].append((process_time() - cpu_s) / size * 1e3)
    least = {size: min(found) for size, found in times.items()}
    return [BatchCost(size, least[size], min(cpu_times[size]), least[size] / least[1]) for size in sizes]
