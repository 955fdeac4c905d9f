"""Rounds beyond the plan's: as many as it takes to know a speed, of the scope that speeds are of alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from depthrt.bench.compare.change import relative_change
from depthrt.bench.latency.calls import Laps
from depthrt.bench.latency.narrowing import LOOK_EVERY, Narrowing
from depthrt.bench.latency.turns import Rounds, Turns, take_turns, to_latency
from depthrt.bench.numbers.figures import MAIN_SCOPE, speed
from depthrt.bench.numbers.result import Interval
from depthrt.engine.terms import TimedScope

NARROWING = Narrowing()
ROUNDS = Rounds(warmup_calls=1)
CALM, UNEASY, WILD = 0.01, 0.05, 0.6  # standard deviations of the logarithm of a turn's slowness
SEEDS = range(8)
SLOWER = 1.1
LIMIT = -0.03  # as `speed<-3%`


def drawn(seed: int, unrest: float, ms: float = 50.0) -> Callable[[int], Laps]:
    """Return a call whose turns are slowed by what the machine does meanwhile, each turn by its own."""
    random = np.random.default_rng(seed)
    slowness = np.exp(random.normal(0, unrest, 2 * NARROWING.most_rounds))
    return lambda number: (round(ms * 1e6 * slowness[number // ROUNDS.calls] * np.exp(random.normal(0, 0.01))),)


def turns(
    seed: int, unrest: float, *, slower: float = 1.0, reference: str = "reference", narrowing: Narrowing = NARROWING
) -> Turns:
    calls = {
        name: {"kernel": drawn(at, unrest), MAIN_SCOPE: drawn(at + 1, unrest, ms)}
        for name, at, ms in (("reference", 4 * seed, 80.0), ("model", 4 * seed + 2, 50.0 * slower))
    }
    return take_turns(calls, ROUNDS, more=narrowing.against(reference))


def rounds_of(found: Turns, scope: TimedScope = MAIN_SCOPE) -> int:
    return len(found.series["model"][scope].laps) // ROUNDS.calls


def speed_of(found: Turns) -> Interval:
    base, own = (
        to_latency(MAIN_SCOPE, found.series[name][MAIN_SCOPE], per_round=ROUNDS.calls)
        for name in ("reference", "model")
    )
    return speed(base, own)


def test_a_calm_machine_needs_no_more_than_the_plan_s_rounds() -> None:
    found = turns(0, CALM)
    assert rounds_of(found) == ROUNDS.count
    assert NARROWING.is_narrow(speed_of(found))


def test_a_machine_without_rest_ends_at_the_limit_and_it_shows() -> None:
    found = turns(0, WILD)
    assert rounds_of(found) == NARROWING.most_rounds
    assert not NARROWING.is_narrow(speed_of(found))


def test_rounds_go_on_until_the_speed_is_known_and_time_its_scope_alone() -> None:
    ends = []
    for seed in range(5):
        found = turns(seed, UNEASY)
        ends.append(rounds_of(found))
        assert rounds_of(found, "kernel") == ROUNDS.count
        assert NARROWING.is_narrow(speed_of(found)) or ends[-1] == NARROWING.most_rounds
    assert any(ROUNDS.count < end < NARROWING.most_rounds for end in ends)
    assert all(end % LOOK_EVERY == 0 for end in ends)


def caught(narrowing: Narrowing) -> list[bool]:
    """Whether a planted slow-down is caught in each of several pairs of runs, none of which raises an alarm without."""
    found = []
    for seed in SEEDS:
        before, same, slower = (
            speed_of(turns(3 * seed + at, UNEASY, slower=by, narrowing=narrowing))
            for at, by in ((0, 1), (1, 1), (2, SLOWER))
        )
        assert relative_change(before, same).high > LIMIT
        found.append(relative_change(before, slower).high < LIMIT)
    return found


def test_more_rounds_catch_a_slow_down_each_time_where_the_plan_s_do_not() -> None:
    assert all(caught(NARROWING))
    assert not all(caught(Narrowing(most_rounds=ROUNDS.count)))


@pytest.mark.parametrize("reference", ["", "gone"])
def test_without_a_reference_the_plan_s_rounds_are_all(reference: str) -> None:
    assert rounds_of(turns(0, WILD, reference=reference)) == ROUNDS.count


def test_a_reference_that_fails_ends_the_rounds() -> None:
    calls = {"reference": {MAIN_SCOPE: drawn(0, WILD)}, "model": {MAIN_SCOPE: drawn(1, WILD)}}
    last = 50 * ROUNDS.calls

    def fail(number: int) -> Laps:
        if number >= last:
            raise RuntimeError("gone")
        return drawn(2, WILD)(number)

    calls["reference"][MAIN_SCOPE] = fail
    found = take_turns(calls, ROUNDS, more=NARROWING.against("reference"))
    assert found.failures == {"reference": "RuntimeError: gone"}
    assert rounds_of(found) == last // ROUNDS.calls + 1


@pytest.mark.parametrize(("half", "narrow"), [(0.019, True), (0.021, False)])
def test_narrow_is_half_the_interval_over_the_speed(half: float, narrow: bool) -> None:
    assert NARROWING.is_narrow(Interval(3.0, 3 * (1 - half), 3 * (1 + half))) is narrow
