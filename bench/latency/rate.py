"""Frames that arrive at a fixed rate, as from a camera: the age of each depth when it is ready, and missed frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import pstdev
from time import perf_counter_ns, sleep

import numpy as np

from ..numbers.result import Latency
from ..numbers.statistics import summarise
from ..subjects.stage import StageResult, failures_of
from ..subjects.subject import Opened
from .calls import Clock, Decoded
from .turns import no_collection

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class FrameRate:
    """How frames arrive.

    Args:
        rate_hz: Of the camera.
        frames: In a burst.
        bursts: Of each subject; the subjects take turns.
        seed: Of the order of the turns.
    """

    rate_hz: float = 30.0
    frames: int = 90
    bursts: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Burst:
    """Times of one burst.

    Args:
        latency_ms: From arrival to answer, of each answered frame.
        gaps_ms: Between consecutive answers.
        missed: Frames that a newer frame replaced before the subject was free.
    """

    latency_ms: tuple[float, ...]
    gaps_ms: tuple[float, ...]
    missed: int


def measure_rate(subjects: Sequence[Opened], images: Sequence[Path], frame_rate: FrameRate) -> StageResult[Latency]:
    """Feed every subject frames at a fixed rate, in turns.

    Args:
        subjects: Warm, as measure_latency leaves them.
        images: A few files; their arrays are the frames, over and over, and all are held at once.
        frame_rate: How the frames arrive.
    """
    random = np.random.default_rng(frame_rate.seed)
    bursts: dict[str, list[Burst]] = {opened.subject.name: [] for opened in subjects}
    failures: dict[str, str] = {}
    decoded = Decoded()

    def feed(opened: Opened) -> None:
        bursts[opened.subject.name].append(_burst(opened, images, frame_rate, decoded))

    for _ in range(frame_rate.bursts):
        left = [opened for opened in subjects if opened.subject.name not in failures]
        order = [left[index] for index in random.permutation(len(left))]
        failures |= failures_of({opened.subject.name: partial(feed, opened) for opened in order})
    found = {name: rate_latency(own, frame_rate.rate_hz) for name, own in bursts.items() if name not in failures}
    return StageResult(found, failures)


def feed_frames(
    answer: Callable[[int], None],
    *,
    rate_hz: float,
    frames: int,
    clock: Clock = perf_counter_ns,
    pause: Callable[[float], None] = sleep,
) -> Burst:
    """Let frames arrive at a fixed rate and always answer the latest, as a queue of length one does.

    Args:
        answer: Takes the number of the frame; the work is finished when it returns.
        rate_hz: Frame n arrives n / rate_hz seconds after the first.
        frames: Number of frames.
        clock, pause: For tests; ns and seconds.
    """
    period_ns = _NS_PER_S / rate_hz
    start_ns = clock()
    latency_ms: list[float] = []
    done_ns: list[int] = []
    last = -1
    while last < frames - 1:
        early_ns = start_ns + (last + 1) * period_ns - clock()
        if early_ns > 0:
            pause(early_ns / _NS_PER_S)
            continue
        last = min(frames - 1, max(last + 1, int((clock() - start_ns) / period_ns)))
        answer(last)
        done_ns.append(clock())
        latency_ms.append((done_ns[-1] - start_ns - last * period_ns) / _NS_PER_MS)
    gaps_ms = [(after - before) / _NS_PER_MS for before, after in pairwise(done_ns)]
    return Burst(tuple(latency_ms), tuple(gaps_ms), frames - len(done_ns))


def rate_latency(bursts: Sequence[Burst], rate_hz: float) -> Latency:
    """Return the bursts of one subject as a record of the report."""
    samples_ms = tuple(time_ms for burst in bursts for time_ms in burst.latency_ms)
    gaps_ms = [gap_ms for burst in bursts for gap_ms in burst.gaps_ms]
    found = summarise(samples_ms)
    latency = Latency(
        "rate", samples_ms, found.p50, found.p90, found.p95, found.p99, found.mean, len(bursts), steady=True
    )
    return replace(
        latency,
        rate_hz=rate_hz,
        missed=sum(burst.missed for burst in bursts),
        jitter_ms=pstdev(gaps_ms) if gaps_ms else 0.0,
    )


def _burst(opened: Opened, images: Sequence[Path], frame_rate: FrameRate, decoded: Decoded) -> Burst:
    frames = [decoded.read(opened.subject, path) for path in images[: frame_rate.frames]]

    def answer(number: int) -> None:
        opened.model.infer(frames[number % len(frames)])
        opened.wait()

    answer(0)  # does not count: it wakes the subject, as in a turn
    with no_collection():
        return feed_frames(answer, rate_hz=frame_rate.rate_hz, frames=frame_rate.frames)
