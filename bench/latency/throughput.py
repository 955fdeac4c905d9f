"""Images a second when several go at once, in batches and in threads; and how loading anew changes the time of one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from ..numbers.result import Throughput
from ..numbers.statistics import median_interval
from ..subjects.subject import Opened, Subject, failures_of, open_subject
from .calls import Clock
from .turns import WINDOW, Plan, no_collection, warm_up

Image = NDArray[np.uint8]

BATCHES = (1, 2, 4, 8)
STREAMS = (1, 2, 4)
ROUNDS = 5
CALLS_PER_STREAM = 2


@dataclass(frozen=True, slots=True)
class Load:
    """How many images go at once: `batch` in one call, or `streams` threads of single calls."""

    batch: int = 1
    streams: int = 1

    def __str__(self) -> str:
        return f"batch {self.batch}, streams {self.streams}"


LOADS = tuple(Load(batch=batch) for batch in BATCHES) + tuple(Load(streams=streams) for streams in STREAMS[1:])


def measure_throughput(
    opened: Sequence[Opened],
    image: Image,
    *,
    loads: Sequence[Load] = LOADS,
    rounds: int = ROUNDS,
    seed: int = 0,
    clock: Clock = perf_counter_ns,
) -> tuple[dict[str, tuple[Throughput, ...]], dict[str, str]]:
    """Measure every subject under every load, in turns.

    Args:
        opened: They stay open.
        image: (H, W, 3) uint8, BGR; all images are this one, so that all fit one batch.
        loads: What goes at once.
        rounds: Turns of each subject under each load.
        seed: Of the order of the turns.
        clock: For tests.

    Returns:
        By subject name what was measured, in the order of loads; and by "name, batch 8, streams 1" why a load is
        missing, which can be memory.
    """
    turns = {f"{one.subject.name}, {load}": (one, load) for one in opened for load in loads}
    rates: dict[str, list[float]] = {key: [] for key in turns}

    def take(key: str) -> None:
        one, load = turns[key]
        with no_collection():
            start = clock()
            images = load_once(one, image, load)
            rates[key].append(images / (clock() - start) * 1e9)

    random = np.random.default_rng(seed)
    # The first does not count: memory for each load is found now.
    failures = failures_of({key: partial(load_once, one, image, load) for key, (one, load) in turns.items()})
    for _ in range(rounds):
        left = [key for key in turns if key not in failures]
        failures |= failures_of({key: partial(take, key) for key in (left[i] for i in random.permutation(len(left)))})
    found: dict[str, tuple[Throughput, ...]] = {one.subject.name: () for one in opened}
    for key, (one, load) in turns.items():
        if key not in failures:
            found[one.subject.name] += (Throughput(load.batch, load.streams, median_interval(rates[key])),)
    return found, failures


def load_once(one: Opened, image: Image, load: Load) -> int:
    """Put one load on a subject and wait until all is answered; return the number of images."""
    if load.streams == 1:
        one.model.infer_batch([image] * load.batch)
        one.wait()
        return load.batch
    _in_threads(load.streams, lambda: _stream(one, image))
    return load.streams * CALLS_PER_STREAM


def measure_builds(
    subject: Subject, image: Image, *, builds: int, plan: Plan, clock: Clock = perf_counter_ns
) -> tuple[float, ...]:
    """Load a subject anew several times; return the median host latency of each, ms.

    Args:
        builds: Number of times.
        plan: Limits of the warm-up, and calls: rounds times calls of them are timed for each build.
        clock: For tests.
    """
    return tuple(_build_ms(subject, image, plan, clock) for _ in range(builds))


def _build_ms(subject: Subject, image: Image, plan: Plan, clock: Clock) -> float:
    one = open_subject(subject)

    def call(number: int) -> tuple[int, ...]:
        start = clock()
        one.model.infer(image)
        one.wait()
        return (clock() - start,)

    try:
        warm_up(call, plan, clock=clock)
        with no_collection():
            return median(call(0)[0] for _ in range(max(WINDOW, plan.rounds * plan.calls))) / 1e6
    finally:
        one.model.close()


def _stream(one: Opened, image: Image) -> None:
    for _ in range(CALLS_PER_STREAM):
        one.model.infer(image)
    one.wait()


def _in_threads(count: int, work: Callable[[], None]) -> None:
    """Do the work in several threads at once; the first error is raised."""
    errors: list[Exception] = []

    def guarded() -> None:
        try:
            work()
        except Exception as error:  # raised below, in the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, name=f"depthrt-stream-{number}") for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
