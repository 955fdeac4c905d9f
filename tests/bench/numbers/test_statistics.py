from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import stdtrit

from depthrt.bench.latency.turns import Rounds
from depthrt.bench.numbers import statistics
from depthrt.bench.numbers.result import Interval
from depthrt.bench.numbers.statistics import ALARM, compare_medians, median_interval, summarise
from depthrt.engine.errors import InputError

RUNS = 20
ROUNDS, CALLS = Rounds().count, Rounds().calls  # what a user gets without asking for more
SLOWER = 1.1
DRIFT = 0.03  # of a machine that warms up or has neighbours, over a run
MEMORY = 0.7  # correlation of one round with the next
STUDENT = 0.01  # of the quantile, which the series gives from 5 degrees of freedom on
COVERED = 0.85  # of 80 intervals that claim 95 %; measured 0.95, 0.92 and 0.86 of 200 for a memory of 0, 0.4 and 0.7
WIDTH = 0.06  # the mean of twelve; one alone is within 0.1
MIDDLE_MS = 100.06  # median of 98 % log-normal times around 100 ms (sigma 0.025) and 2 % above


def surroundings(random: np.random.Generator, *, drift: float, memory: float = MEMORY) -> NDArray[np.float64]:
    """What slows the whole machine in each round, as a logarithm: a slow wave and a walk that returns."""
    walk = np.zeros(ROUNDS)
    for number in range(1, ROUNDS):
        walk[number] = memory * walk[number - 1] + random.normal(0, 0.015 * math.sqrt(1 - memory**2))
    phase, turns = random.uniform(0, 2 * math.pi), random.uniform(0.5, 2)
    wave: NDArray[np.float64] = walk + drift * np.sin(phase + 2 * math.pi * turns * np.arange(ROUNDS) / ROUNDS)
    return wave


def times(random: np.random.Generator, around: NDArray[np.float64], *, median_ms: float = 100.0) -> list[float]:
    """Log-normal times, one in fifty of them a spike."""
    shape = (len(around), CALLS)
    found = median_ms * np.exp(around[:, None] + random.normal(0, 0.02, shape))
    spikes = random.random(shape) < 0.02
    listed: list[float] = np.where(spikes, found * random.uniform(1.3, 3, shape), found).ravel().tolist()
    return listed


@pytest.mark.parametrize("paired", [True, False], ids=["in one run", "in two runs"])
def test_the_same_twice_raises_no_alarm_and_a_slow_down_is_caught_each_time(paired: bool) -> None:
    for seed in range(RUNS):
        random = np.random.default_rng(seed)
        drift = DRIFT if paired else DRIFT / 3  # two runs do not share it, and nothing can tell it from a change
        first = surroundings(random, drift=drift)
        second = first if paired else surroundings(random, drift=drift)
        a, b, c = times(random, first), times(random, second), times(random, second, median_ms=100 * SLOWER)
        same = compare_medians(a, b, per_round=CALLS, paired=paired)
        slower = compare_medians(a, c, per_round=CALLS, paired=paired)
        assert same.low <= 1 + ALARM and same.high >= 1 - ALARM
        assert slower.low > 1.05
        assert compare_medians(c, a, per_round=CALLS, paired=paired).high < 1 - ALARM


def test_a_comparison_turned_around_is_the_reciprocal() -> None:
    random = np.random.default_rng(1)
    around = surroundings(random, drift=DRIFT)
    a, b = times(random, around), times(random, around, median_ms=130)
    there, back = (compare_medians(*pair, per_round=CALLS, paired=True) for pair in ((a, b), (b, a)))
    assert there.value == pytest.approx(1 / back.value) and there.low == pytest.approx(1 / back.high)


def test_pairing_takes_out_what_slows_both() -> None:
    random = np.random.default_rng(2)
    around = surroundings(random, drift=0.2)
    a, b = times(random, around), times(random, around)
    paired, apart = (compare_medians(a, b, per_round=CALLS, paired=paired) for paired in (True, False))
    assert paired.high - paired.low < (apart.high - apart.low) / 3


def test_the_interval_covers_the_true_median_although_rounds_remember() -> None:
    covered, runs = 0, 80
    for seed in range(runs):
        random = np.random.default_rng(seed)
        found = summarise(times(random, surroundings(random, drift=0.0, memory=0.4)), per_round=CALLS).p50
        covered += found.low <= MIDDLE_MS <= found.high
    assert covered / runs >= COVERED


def test_an_interval_of_95_percent_is_as_wide_as_student_s() -> None:
    """Of a mean of normal times without memory, where the exact width is known; 90 % would be a sixth narrower."""
    count, blocks = 512, 512 / 8  # blocks of the cube root of the count
    ratios = []
    for seed in range(12):
        samples = np.random.default_rng(seed).normal(100, 5, count)
        found = summarise(samples.tolist(), seed=seed).mean
        exact = float(stdtrit(blocks - 1, 0.975)) * float(samples.std(ddof=1)) / math.sqrt(count)
        ratios.append((found.high - found.low) / (2 * exact))
    assert np.mean(ratios) == pytest.approx(1, abs=WIDTH)


def test_resampling_one_by_one_would_be_too_sure() -> None:
    """The memory of a series is found in it: shuffled, the same numbers give a narrower interval."""
    random = np.random.default_rng(3)
    walk = np.exp(np.cumsum(random.normal(0, 0.01, 400)))
    in_order, shuffled = median_interval(walk.tolist()), median_interval(random.permutation(walk).tolist())
    assert in_order.high - in_order.low > 3 * (shuffled.high - shuffled.low)
    assert in_order.value == shuffled.value


def test_percentiles_are_those_of_the_samples() -> None:
    samples = list(range(101))
    found = summarise(samples)
    assert (found.p50.value, found.p90.value, found.p95.value, found.p99.value) == (50, 90, 95, 99)
    assert found.mean.value == 50
    for interval in (found.p50, found.p90, found.p95, found.p99, found.mean):
        assert 0 <= interval.low <= interval.value <= interval.high
    assert summarise(samples) == found  # seeded


def test_equal_times_have_no_width() -> None:
    assert summarise([5.0] * 12, per_round=3).p99 == Interval(5.0, 5.0, 5.0)
    assert summarise([5.0]).mean == Interval(5.0, 5.0, 5.0)
    ratio = compare_medians([5.0] * 8, [10.0] * 8)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2, 2, 2))


def test_the_interval_of_a_time_never_reaches_zero() -> None:
    few = summarise([5.0, 9.0, 40.0])  # a busy machine: the lowest median drawn is far below the value
    assert 0 < few.p50.low < 5
    assert few.p50.high > 40
    assert summarise([0.0, 1.0, 2.0]).p50.low == 0  # a time of 0 has no logarithm


def test_more_samples_give_a_narrower_interval() -> None:
    random = np.random.default_rng(4)
    few, many = (median_interval(random.lognormal(0, 0.1, count).tolist()) for count in (30, 3000))
    assert many.high - many.low < (few.high - few.low) / 4


@pytest.mark.parametrize(
    ("samples", "per_round", "message"),
    [
        ([], 1, "0 samples in rounds of 1 found"),
        ([1.0, 2.0, 3.0], 2, "3 samples in rounds of 2 found, expected one whole round or more"),
        ([1.0], 0, "in rounds of 0"),
        ([1.0, math.nan], 1, "non-finite time found"),
        ([1.0, -1.0], 1, "negative"),
    ],
)
def test_samples_that_are_no_times_are_refused(samples: list[float], per_round: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        summarise(samples, per_round=per_round)


def test_times_that_have_no_ratio_are_refused() -> None:
    with pytest.raises(InputError, match="0 ms found"):
        compare_medians([0.0], [1.0])
    with pytest.raises(InputError, match="2 and 1 samples found"):
        compare_medians([1.0, 1.0], [1.0], paired=True)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 7, 7.5, 12, 40, 400])
def test_few_blocks_widen_an_interval_as_student_s_t_does(freedom: float) -> None:
    assert statistics._student(freedom) == pytest.approx(float(stdtrit(freedom, 0.975)), rel=STUDENT)
