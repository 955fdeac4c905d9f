"""Frames that arrive at a fixed rate, as from a camera: how old is the depth when it is there, and what was missed."""

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
from ..subjects.subject import Opened, failures_of
from .calls import Clock, Decoded
from .turns import no_collection

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class RatePlan:
    """How the frames come.

    Args:
        rate_hz: Of the camera.
        frames: In one burst.
        bursts: Of each subject; the subjects take turns.
        seed: Of the order of the turns.
    """

    rate_hz: float = 30.0
    frames: int = 90
    bursts: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of the frames of one burst.

    Args:
        latency_ms: From arrival to answer, of each frame that was answered.
        gaps_ms: Between each answer and the next.
        missed: Frames that were no longer the latest when the subject was free.
    """

    latency_ms: tuple[float, ...]
    gaps_ms: tuple[float, ...]
    missed: int


def measure_rate(
    opened: Sequence[Opened], images: Sequence[Path], plan: RatePlan
) -> tuple[dict[str, Latency], dict[str, str]]:
    """Feed every subject frames at a fixed rate, in turns.

    Args:
        opened: Warm, as measure_latency leaves them.
        images: A few files; their arrays are the frames, again and again, and all are held at once.
        plan: How the frames come.

    Returns:
        By subject name the latency, and of those that failed the reason.
    """
    random = np.random.default_rng(plan.seed)
    bursts: dict[str, list[Burst]] = {one.subject.name: [] for one in opened}
    failures: dict[str, str] = {}
    decoded = Decoded()
    for _ in range(plan.bursts):
        left = [one for one in opened if one.subject.name not in failures]
        order = [left[index] for index in random.permutation(len(left))]
        failures |= failures_of(
            {one.subject.name: partial(_burst, one, images, plan, bursts[one.subject.name], decoded) for one in order}
        )
    found = {name: rate_latency(some, plan.rate_hz) for name, some in bursts.items() if name not in failures}
    return found, failures


def feed_frames(
    answer: Callable[[int], None],
    *,
    rate_hz: float,
    frames: int,
    clock: Clock = perf_counter_ns,
    pause: Callable[[float], None] = sleep,
) -> Burst:
    """Let frames arrive at a fixed rate and answer always the latest, as a queue of length one does.

    Args:
        answer: Takes the number of the frame, finishes before it returns.
        rate_hz: Frame n arrives n / rate_hz seconds after the first.
        frames: Number of them.
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
    """Return bursts of one subject as a result."""
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


def _burst(one: Opened, images: Sequence[Path], plan: RatePlan, bursts: list[Burst], decoded: Decoded) -> None:
    """Add a subject's next burst."""
    frames = [decoded.read(one.subject, path) for path in images[: plan.frames]]

    def answer(number: int) -> None:
        one.model.infer(frames[number % len(frames)])
        one.wait()

    answer(0)  # does not count, as in latency
    with no_collection():
        bursts.append(feed_frames(answer, rate_hz=plan.rate_hz, frames=plan.frames))
