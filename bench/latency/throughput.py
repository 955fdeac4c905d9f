"""Images a second in batches and in threads, and how the latency varies between loads of one model."""

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
from ..subjects.stage import StageResult, failures_of
from ..subjects.subject import Opened, Subject, open_subject
from .calls import Clock
from .turns import WINDOW, Rounds, no_collection, warm_up

Image = NDArray[np.uint8]

BATCHES = (1, 2, 4, 8)
STREAMS = (1, 2, 4)
ROUNDS = 5
CALLS_PER_STREAM = 2


@dataclass(frozen=True, slots=True)
class Load:
    """Images in flight at once: `batch` in one call, or `streams` threads of single calls."""

    batch: int = 1
    streams: int = 1

    def __str__(self) -> str:
        return f"batch {self.batch}, streams {self.streams}"


LOADS = tuple(Load(batch=batch) for batch in BATCHES) + tuple(Load(streams=streams) for streams in STREAMS[1:])


def measure_throughput(
    subjects: Sequence[Opened],
    image: Image,
    *,
    loads: Sequence[Load] = LOADS,
    rounds: int = ROUNDS,
    seed: int = 0,
    clock: Clock = perf_counter_ns,
) -> StageResult[tuple[Throughput, ...]]:
    """Measure every subject under every load, in turns.

    Args:
        subjects: Must stay open.
        image: (H, W, 3) uint8, BGR; every image is this one, so that all fit one batch.
        loads: Images in flight.
        rounds: Turns of each subject under each load.
        seed: Of the order of the turns.
        clock: For tests.

    Returns:
        Throughput in the order of `loads`. A load that fails, for lack of memory perhaps, is a note.
    """
    turns = {(opened.subject.name, load): opened for opened in subjects for load in loads}
    rates: dict[tuple[str, Load], list[float]] = {turn: [] for turn in turns}
    failures: dict[tuple[str, Load], str] = {}

    def take(turn: tuple[str, Load]) -> None:
        with no_collection():
            start = clock()
            images = load_once(turns[turn], image, turn[1])
            rates[turn].append(images / (clock() - start) * 1e9)

    for turn, opened in turns.items():  # not timed: memory for each load is allocated now
        _attempt(turn, partial(load_once, opened, image, turn[1]), failures)
    random = np.random.default_rng(seed)
    for _ in range(rounds):
        left = [turn for turn in turns if turn not in failures]
        for index in random.permutation(len(left)):
            _attempt(left[index], partial(take, left[index]), failures)
    found: dict[str, tuple[Throughput, ...]] = {opened.subject.name: () for opened in subjects}
    notes: dict[str, tuple[str, ...]] = {}
    for name, load in turns:
        if why := failures.get((name, load)):
            notes[name] = (*notes.get(name, ()), f"no throughput at {load}: {why}")
        else:
            found[name] += (Throughput(load.batch, load.streams, median_interval(rates[name, load])),)
    return StageResult(found, notes=notes)


def load_once(opened: Opened, image: Image, load: Load) -> int:
    """Put a load on a subject and wait until all images are answered; return their number."""
    if load.streams == 1:
        opened.model.infer_batch([image] * load.batch)
        opened.wait()
        return load.batch
    _in_threads(load.streams, lambda: _stream(opened, image))
    return load.streams * CALLS_PER_STREAM


def measure_builds(
    subject: Subject, image: Image, *, builds: int, rounds: Rounds, clock: Clock = perf_counter_ns
) -> tuple[float, ...]:
    """Load a subject several times; return the median host latency of each load, ms.

    Args:
        subject: Opened here.
        image: (H, W, 3) uint8, BGR.
        builds: Number of loads.
        rounds: Limits of the warm-up; count times calls are the timed calls of each load.
        clock: For tests.
    """
    return tuple(_build_ms(subject, image, rounds, clock) for _ in range(builds))


def _attempt(turn: tuple[str, Load], work: Callable[[], object], failures: dict[tuple[str, Load], str]) -> None:
    """Do some work; if it fails, its turn is among the failures."""
    for why in failures_of({turn[0]: work}).values():
        failures[turn] = why


def _build_ms(subject: Subject, image: Image, rounds: Rounds, clock: Clock) -> float:
    opened = open_subject(subject)

    def call(number: int) -> tuple[int, ...]:
        start = clock()
        opened.model.infer(image)
        opened.wait()
        return (clock() - start,)

    try:
        warm_up(call, rounds, clock=clock)
        with no_collection():
            return median(call(0)[0] for _ in range(max(WINDOW, rounds.count * rounds.calls))) / 1e6
    finally:
        opened.model.close()


def _stream(opened: Opened, image: Image) -> None:
    for _ in range(CALLS_PER_STREAM):
        opened.model.infer(image)
    opened.wait()


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
