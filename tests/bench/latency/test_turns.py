"""Subjects take turns: in every round, warm, without garbage collection, and a failure leaves the others alone."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
from planted_runner import Time, one_lap

from depthrt.bench.latency.calls import Call, Laps
from depthrt.bench.latency.turns import WINDOW, Rounds, is_steady, no_collection, take_turns, warm_up
from depthrt.bench.numbers.statistics import compare_medians
from depthrt.engine.terms import TimedScope

QUICK = Rounds(count=4, calls=2)


def test_every_subject_has_one_turn_in_each_round_in_changing_order() -> None:
    time, log = Time(), []

    def call(name: str) -> Callable[[int], Laps]:
        def work(number: int) -> Laps:
            log.append((name, number))
            time.work(1)
            return (1,)

        return work

    planned = Rounds(count=12, calls=3)
    turns = take_turns({name: {"host": call(name)} for name in "abc"}, planned, clock=time)
    in_rounds = log[3 * (1 + 2 * WINDOW) :]
    per_turn = 1 + planned.calls
    rounds = [in_rounds[at : at + 3 * per_turn] for at in range(0, len(in_rounds), 3 * per_turn)]
    orders = [tuple(name for name, _ in one[::per_turn]) for one in rounds]
    assert len(rounds) == 12 and all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len(set(orders)) > 3
    for number, one in enumerate(rounds):  # the first call of a turn does not count, then all take the same images
        for at in range(0, len(one), per_turn):
            assert [image for _, image in one[at : at + per_turn]] == [0, *range(3 * number, 3 * number + 3)]
    assert all(len(turns.series[name]["host"].laps) == 36 for name in "abc")


def test_a_slow_while_meets_all_subjects_alike() -> None:
    time = Time()

    def speed() -> float:  # half speed for a quarter of the time
        return 2.0 if time.now_ns // 1_000_000_000 % 4 == 3 else 1.0

    calls: dict[str, dict[TimedScope, Call]] = {
        "first": {"host": one_lap(time, lambda number: 100 * speed())},
        "second": {"host": one_lap(time, lambda number: 110 * speed())},
    }
    series = take_turns(calls, Rounds(), clock=time).series
    first, second = ([sum(laps) for laps in series[name]["host"].laps] for name in ("first", "second"))
    assert max(first) == 2 * min(first)
    assert compare_medians(first, second, per_round=Rounds().calls, paired=True).value == pytest.approx(1.1)


def test_warm_up_ends_when_two_windows_agree() -> None:
    time = Time()
    falling = iter([200.0, 160.0, 130.0, 120.0, 110.0, 108.0, 104.0, *[100.0] * 90])
    found = warm_up(one_lap(time, lambda number: next(falling)), Rounds(), clock=time)
    # Medians of five: 130 against 100 after ten calls; 108 against 100 two later; 104 is the fourth of them at last.
    assert found.steady and found.laps == []
    assert 2 * WINDOW < found.warmup <= 3 * WINDOW


def test_warm_up_that_never_ends_says_so() -> None:
    time = Time()
    numbers = iter(range(1000))
    unsteady = one_lap(time, lambda number: 100 * 1.1 ** next(numbers))
    by_calls = warm_up(unsteady, Rounds(warmup_calls=20), clock=time)
    assert (by_calls.steady, by_calls.warmup) == (False, 1 + 20)
    by_time = warm_up(one_lap(time, lambda number: 20_000), Rounds(warmup_s=60), clock=time)
    assert (by_time.steady, by_time.warmup) == (False, 1 + 2)  # the first counts too: three of 20 s


def test_warm_up_meets_every_image_first() -> None:
    time = Time()
    seen: list[int] = []

    def work(number: int) -> float:
        seen.append(number)
        return 1.0

    warm_up(one_lap(time, work), Rounds(), images=3, clock=time)
    assert seen[:3] == [0, 1, 2] and set(seen[3:]) == {0}


@pytest.mark.parametrize(
    ("times", "steady"),
    [
        ([100.0] * 10, True),
        ([100.0] * 9, False),
        ([104.0] * 5 + [100.0] * 5, False),
        ([102.0] * 5 + [100.0] * 5, True),
        ([100.0] * 5 + [104.0] * 5, False),
        ([500.0] * 20 + [100.0] * 10, True),
        ([100.0] * 5 + [100.0, 900.0, 100.0, 900.0, 100.0], True),
    ],
)
def test_steady_is_judged_by_the_last_two_windows(times: list[float], steady: bool) -> None:
    assert is_steady(times) is steady


@pytest.mark.parametrize("fails_at", [0, 5, 16])
def test_a_subject_that_fails_leaves_with_its_reason_and_the_others_go_on(fails_at: int) -> None:
    time = Time()
    numbers = iter(range(1000))

    def fail(number: int) -> float:
        if next(numbers) == fails_at:
            raise RuntimeError("out of\n memory")
        return 1.0

    calls: dict[str, dict[TimedScope, Call]] = {
        "bad": {"host": one_lap(time, fail)},
        "good": {"host": one_lap(time, lambda number: 1.0)},
    }
    turns = take_turns(calls, QUICK, clock=time)
    assert turns.failures == {"bad": "RuntimeError: out of memory"}
    assert list(turns.series) == ["good"] and len(turns.series["good"]["host"].laps) == 8


def test_garbage_is_not_collected_inside_a_sample_and_is_afterwards() -> None:
    time = Time()
    seen: list[bool] = []

    def work(number: int) -> float:
        seen.append(gc.isenabled())
        return 1.0

    take_turns({"one": {"host": one_lap(time, work)}}, QUICK, clock=time)
    in_turns = seen[1 + 2 * WINDOW :]
    assert not any(in_turns[index] for index in range(len(in_turns)) if index % (1 + QUICK.calls))
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()  # as it was found
    finally:
        gc.enable()
