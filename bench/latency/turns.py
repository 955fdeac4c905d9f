"""Times of several subjects, taken in turns, in three scopes: the network, array to array, file to file.

What slows a machine for a while must meet all subjects alike, so each has a turn in every round, in an order drawn
anew. A turn begins with a call that does not count: it brings the subject's weights back into the caches and
lets the threads of the one before come to rest.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import numpy as np

from ..numbers.result import Latency
from ..numbers.statistics import summarise
from ..subjects.subject import Opened, failures_of
from .calls import STAGES, TIMED_SCOPES, Call, Clock, Decoded, Laps, make_call

# Takes the rounds done and what was measured by subject and scope, gives the scopes of one more round; none is the end.
More = Callable[[int, Mapping[str, Mapping[str, "Series"]]], Collection[str]]

WINDOW = 5  # calls whose median is compared with that of the five before
STEADY = 0.03  # largest difference of the two medians
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Args:
        rounds: Turns of each subject.
        calls: Timed calls in a turn, for each scope.
        scopes: Of TIMED_SCOPES.
        warmup_calls, warmup_s: Warm-up of one subject in one scope ends here, steady or not.
        seed: Of the order of the turns.
    """

    rounds: int = 30
    calls: int = 3
    scopes: tuple[str, ...] = TIMED_SCOPES
    warmup_calls: int = 60
    warmup_s: float = 60.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of one subject in one scope.

    Args:
        laps: Of each call that counts, in order.
        warmup: Calls before.
        steady: Whether two windows of them agreed.
    """

    laps: list[Laps]
    warmup: int
    steady: bool


@dataclass(frozen=True, slots=True)
class Turns:
    """What a run of turns gave: series by subject and scope, and why a subject left."""

    series: Mapping[str, Mapping[str, Series]]
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Times:
    """Latency of one subject; as in result.SubjectResult."""

    latency: tuple[Latency, ...]
    stages_ms: Mapping[str, float]
    failure: str = ""


def no_more(done: int, series: Mapping[str, Mapping[str, Series]]) -> tuple[str, ...]:
    """End with the plan's rounds."""
    return ()


def measure_latency(
    opened: Sequence[Opened],
    images: Sequence[Path],
    folder: Path,
    plan: Plan,
    *,
    more: More = no_more,
    clock: Clock = perf_counter_ns,
    on_round: Callable[[int], None] = lambda done: None,
) -> dict[str, Times]:
    """Measure every subject, in turns.

    Args:
        opened: They stay open.
        images: A few files, whose arrays are held at once; each call takes the next, and every subject the same ones.
            Those that the plan's rounds do not reach are not read.
        folder: Where depth files may go, 16-bit PNG.
        plan: How much.
        more: Asked after the plan's rounds, and after each that it asked for.
        clock: For tests.
        on_round: Called with the number of rounds done, for progress.

    Returns:
        By subject name. One that fails on the way has its failure and no times.
    """
    calls: dict[str, dict[str, Call]] = {}
    images, decoded = images[: max(1, plan.rounds * plan.calls)], Decoded()

    def make_calls(one: Opened) -> None:
        calls[one.subject.name] = {
            scope: make_call(one, images, folder, scope, decoded=decoded, clock=clock) for scope in plan.scopes
        }

    unmade = failures_of({one.subject.name: partial(make_calls, one) for one in opened})
    turns = take_turns(calls, plan, images=len(images), more=more, clock=clock, on_round=on_round)
    failures = {**unmade, **turns.failures}
    return {one.subject.name: _times(one.subject.name, turns, failures, plan) for one in opened}


def take_turns(
    calls: Mapping[str, Mapping[str, Call]],
    plan: Plan,
    *,
    images: int = 1,
    more: More = no_more,
    clock: Clock = perf_counter_ns,
    on_round: Callable[[int], None] = lambda done: None,
) -> Turns:
    """Warm up every subject, then give each a turn in every round.

    Args:
        calls: By subject and scope.
        images: How many there are; warm-up takes each once, for what depends on sizes.
        plan, more, clock, on_round: As in measure_latency.
    """
    series: dict[str, dict[str, Series]] = {}

    def warm(name: str) -> None:
        series[name] = {scope: warm_up(call, plan, images=images, clock=clock) for scope, call in calls[name].items()}

    failures = failures_of({name: partial(warm, name) for name in calls})
    random = np.random.default_rng(plan.seed)
    for number in count():
        timed = {name: calls[name] for name in calls if name not in failures}
        if number >= plan.rounds:
            scopes = more(number, {name: series[name] for name in timed})
            timed = {name: {scope: timed[name][scope] for scope in scopes if scope in timed[name]} for name in timed}
        names = [name for name in timed if timed[name]]
        if not names:
            break
        order = [names[index] for index in random.permutation(len(names))]
        failures |= failures_of({name: partial(_turn, timed[name], series[name], plan, number) for name in order})
        on_round(number + 1)
    return Turns({name: series[name] for name in calls if name not in failures}, failures)


def warm_up(call: Call, plan: Plan, *, images: int = 1, clock: Clock = perf_counter_ns) -> Series:
    """Call until the medians of two windows that follow each other agree, or the plan's limit is reached."""
    start = clock()
    for number in range(images):
        call(number)
    times: list[int] = []
    steady = False
    while not steady and len(times) < plan.warmup_calls and clock() - start < plan.warmup_s * 1e9:
        times.append(sum(call(0)))
        steady = is_steady(times)
    return Series([], images + len(times), steady)


def is_steady(times: Sequence[float]) -> bool:
    """Whether the last two windows of times have nearly one median."""
    if len(times) < 2 * WINDOW:
        return False
    before, now = median(times[-2 * WINDOW : -WINDOW]), median(times[-WINDOW:])
    return abs(now - before) <= STEADY * before


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect young garbage now and none inside; the collector stays as it was found."""
    was_on = gc.isenabled()
    gc.collect(1)  # a whole collection takes a quarter of a second beside torch, and turns make no old garbage
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def to_latency(scope: str, series: Series, *, per_round: int) -> Latency:
    """Return a series as a result."""
    samples_ms = milliseconds(series)
    found = summarise(samples_ms, per_round=per_round)
    percentiles = (found.p50, found.p90, found.p95, found.p99, found.mean)
    rounds = len(samples_ms) // per_round
    return Latency(scope, samples_ms, *percentiles, series.warmup, series.steady, rounds=rounds)


def milliseconds(series: Series) -> tuple[float, ...]:
    """Return the time of each call that counts."""
    return tuple(sum(laps) / _NS_PER_MS for laps in series.laps)


def _turn(calls: Mapping[str, Call], series: Mapping[str, Series], plan: Plan, number: int) -> None:
    """Time one subject once in each scope."""
    next(iter(calls.values()))(0)  # does not count; see the top
    with no_collection():
        for scope, call in calls.items():
            for index in range(plan.calls):
                series[scope].laps.append(call(number * plan.calls + index))


def _times(name: str, turns: Turns, failures: Mapping[str, str], plan: Plan) -> Times:
    if name in failures:
        return Times((), {}, failures[name])
    series = turns.series[name]
    latency = tuple(to_latency(scope, one, per_round=plan.calls) for scope, one in series.items())
    return Times(latency, _stages(series["file"]) if "file" in series else {})


def _stages(series: Series) -> dict[str, float]:
    parts = zip(*series.laps, strict=True)
    return {name: median(part) / _NS_PER_MS for name, part in zip(STAGES, parts, strict=True)}
