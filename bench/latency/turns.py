"""Times of several subjects, taken in turns, in three scopes: the network, array to array, file to file.

Whatever slows the machine for a while must slow all subjects alike, so each subject has a turn in every round, in an
order drawn for the round. A turn begins with a call that does not count: it brings the subject's weights back into the
caches and lets the threads of the previous subject come to rest.
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

from ...engine.terms import TIMED_SCOPES, TimedScope
from ..numbers.result import Latency
from ..numbers.statistics import summarise
from ..subjects.stage import StageResult, failures_of
from ..subjects.subject import Opened
from .calls import STAGES, Call, Clock, Decoded, Laps, make_call

# Takes the rounds done and the series by subject and scope; returns the scopes of the next round, none to end.
More = Callable[[int, Mapping[str, Mapping[TimedScope, "Series"]]], Collection[TimedScope]]

WINDOW = 5  # calls; the medians of the last two windows are compared
STEADY = 0.03  # largest difference of the two medians
_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Rounds:
    """How often each subject is timed.

    Args:
        count: Rounds; each subject has one turn in each.
        calls: Timed calls in a turn, for each scope.
        scopes: What is timed.
        warmup_calls, warmup_s: Limits of the warm-up of one subject in one scope.
        seed: Of the order of the turns.
    """

    count: int = 30
    calls: int = 3
    scopes: tuple[TimedScope, ...] = TIMED_SCOPES
    warmup_calls: int = 60
    warmup_s: float = 60.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """The timed calls of one subject in one scope.

    Args:
        laps: Of each call that counts, in order.
        warmup: Number of calls before.
        steady: Whether the last two windows of the warm-up agreed.
    """

    laps: list[Laps]
    warmup: int
    steady: bool


@dataclass(frozen=True, slots=True)
class Turns:
    """Series by subject and scope, and why subjects failed."""

    series: Mapping[str, Mapping[TimedScope, Series]]
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Times:
    """Latency of one subject; fields as in result.SubjectResult."""

    latency: tuple[Latency, ...]
    stages_ms: Mapping[str, float]


def no_more(done: int, series: Mapping[str, Mapping[TimedScope, Series]]) -> tuple[TimedScope, ...]:
    """End after the planned rounds."""
    return ()


def measure_latency(
    subjects: Sequence[Opened],
    images: Sequence[Path],
    folder: Path,
    rounds: Rounds,
    *,
    more: More = no_more,
    clock: Clock = perf_counter_ns,
    on_round: Callable[[int], None] = lambda done: None,
) -> StageResult[Times]:
    """Measure every subject, in turns.

    Args:
        subjects: Must stay open.
        images: A few files, whose arrays are held at once; each call takes the next image, the same for every subject.
            Images that the rounds do not reach are not read.
        folder: Where depth files may go, 16-bit PNG.
        rounds: How often.
        more: Asked after `rounds`, and after each further round, whether another follows.
        clock: For tests.
        on_round: Called with the number of rounds done.
    """
    calls: dict[str, dict[TimedScope, Call]] = {}
    images, decoded = images[: max(1, rounds.count * rounds.calls)], Decoded()

    def make_calls(opened: Opened) -> None:
        calls[opened.subject.name] = {
            scope: make_call(opened, images, folder, scope, decoded=decoded, clock=clock) for scope in rounds.scopes
        }

    unmade = failures_of({opened.subject.name: partial(make_calls, opened) for opened in subjects})
    turns = take_turns(calls, rounds, images=len(images), more=more, clock=clock, on_round=on_round)
    found = {name: _times(series, rounds) for name, series in turns.series.items()}
    return StageResult(found, {**unmade, **turns.failures})


def take_turns(
    calls: Mapping[str, Mapping[TimedScope, Call]],
    rounds: Rounds,
    *,
    images: int = 1,
    more: More = no_more,
    clock: Clock = perf_counter_ns,
    on_round: Callable[[int], None] = lambda done: None,
) -> Turns:
    """Warm up every subject, then give each a turn in every round.

    Args:
        calls: By subject and scope.
        rounds: As in measure_latency.
        images: Number of images; the warm-up takes each once, for work that depends on sizes.
        more, clock, on_round: As in measure_latency.
    """
    series: dict[str, dict[TimedScope, Series]] = {}

    def warm(name: str) -> None:
        series[name] = {scope: warm_up(call, rounds, images=images, clock=clock) for scope, call in calls[name].items()}

    failures = failures_of({name: partial(warm, name) for name in calls})
    random = np.random.default_rng(rounds.seed)
    for number in count():
        timed = {name: calls[name] for name in calls if name not in failures}
        if number >= rounds.count:
            scopes = more(number, {name: series[name] for name in timed})
            timed = {name: {scope: timed[name][scope] for scope in scopes if scope in timed[name]} for name in timed}
        names = [name for name in timed if timed[name]]
        if not names:
            break
        order = [names[index] for index in random.permutation(len(names))]
        failures |= failures_of({name: partial(_turn, timed[name], series[name], rounds, number) for name in order})
        on_round(number + 1)
    return Turns({name: series[name] for name in calls if name not in failures}, failures)


def warm_up(call: Call, rounds: Rounds, *, images: int = 1, clock: Clock = perf_counter_ns) -> Series:
    """Call until the medians of the last two windows agree, or a limit of `rounds` is reached."""
    start = clock()
    for number in range(images):
        call(number)
    times: list[int] = []
    steady = False
    while not steady and len(times) < rounds.warmup_calls and clock() - start < rounds.warmup_s * 1e9:
        times.append(sum(call(0)))
        steady = is_steady(times)
    return Series([], images + len(times), steady)


def is_steady(times: Sequence[float]) -> bool:
    """Whether the medians of the last two windows of times differ by at most STEADY."""
    if len(times) < 2 * WINDOW:
        return False
    before, now = median(times[-2 * WINDOW : -WINDOW]), median(times[-WINDOW:])
    return abs(now - before) <= STEADY * before


@contextmanager
def no_collection() -> Iterator[None]:
    """Collect young garbage first and none inside; afterwards the collector is as before."""
    was_on = gc.isenabled()
    gc.collect(1)  # a whole collection takes a quarter of a second beside torch, and turns make no old garbage
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def to_latency(scope: TimedScope, series: Series, *, per_round: int) -> Latency:
    """Return a series as a record of the report.

    Args:
        scope: What was timed.
        series: Its calls.
        per_round: Calls in a round.
    """
    samples_ms = milliseconds(series)
    found = summarise(samples_ms, per_round=per_round)
    percentiles = (found.p50, found.p90, found.p95, found.p99, found.mean)
    rounds = len(samples_ms) // per_round
    return Latency(scope, samples_ms, *percentiles, series.warmup, series.steady, rounds=rounds)


def milliseconds(series: Series) -> tuple[float, ...]:
    """Return the time of each call that counts."""
    return tuple(sum(laps) / _NS_PER_MS for laps in series.laps)


def _turn(calls: Mapping[TimedScope, Call], series: Mapping[TimedScope, Series], rounds: Rounds, number: int) -> None:
    """Time one subject in each scope, in round `number`."""
    next(iter(calls.values()))(0)  # does not count; the module's docstring says why
    with no_collection():
        for scope, call in calls.items():
            for index in range(rounds.calls):
                series[scope].laps.append(call(number * rounds.calls + index))


def _times(series: Mapping[TimedScope, Series], rounds: Rounds) -> Times:
    latency = tuple(to_latency(scope, calls, per_round=rounds.calls) for scope, calls in series.items())
    return Times(latency, _stages(series["file"]) if "file" in series else {})


def _stages(series: Series) -> dict[str, float]:
    """Return the median of each stage, ms."""
    parts = zip(*series.laps, strict=True)
    return {stage: median(part) / _NS_PER_MS for stage, part in zip(STAGES, parts, strict=True)}
