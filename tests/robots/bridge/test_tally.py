"""Counts of a second and of all, by a clock that the test moves."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.robots.bridge.tally import WINDOW_MOST, Arrivals, Tally


def test_a_window_counts_since_the_last_one() -> None:
    tally = Tally(100.0)
    for age_ms in (10.0, 30.0, 20.0):
        tally.publish(age_ms, age_ms + 5)
    tally.fail()
    first = tally.window(101.0, Arrivals(10, 6, 1))
    assert (first.received, first.published, first.dropped, first.failed, first.lost) == (10, 3, 6, 1, 1)
    assert first.age_ms == (20.0, 30.0) and first.stamp_age_ms == 25.0
    assert (first.rate_in, first.rate_out) == (10.0, 3.0)
    tally.publish(40.0, -3.0)  # the other machine's clock is ahead
    second = tally.window(103.0, Arrivals(12, 6, 1))
    assert (second.received, second.published, second.dropped, second.failed, second.lost) == (2, 1, 0, 0, 0)
    assert second.rate_in == 1.0 and second.age_ms == (40.0, 40.0) and second.stamp_age_ms == -3.0


def test_an_empty_window_has_no_ages() -> None:
    counts = Tally(0.0).window(0.0, Arrivals())
    assert counts.age_ms is None and counts.stamp_age_ms is None and counts.rate_in == counts.rate_out == 0
    assert Tally(0.0).total(1.0, Arrivals()).age_ms is None


def test_ages_of_all_are_right_to_2_percent_in_memory_of_fixed_size() -> None:
    tally, ages = Tally(0.0), np.random.default_rng(0).lognormal(4, 1, 20_000)
    for age_ms in ages:
        tally.publish(age_ms, age_ms)
    total = tally.total(10.0, Arrivals(20_000))
    assert total.age_ms is not None and total.published == 20_000
    assert total.age_ms == pytest.approx(tuple(np.percentile(ages, [50, 99])), rel=0.02)
    assert len(tally._ages) == WINDOW_MOST


@pytest.mark.parametrize("age_ms", [0.0, 1e12])
def test_an_age_beyond_all_bins_is_counted(age_ms: float) -> None:
    tally = Tally(0.0)
    tally.publish(age_ms, age_ms)
    assert tally.total(1.0, Arrivals(1)).age_ms is not None


def test_depths_without_a_floor_are_published_and_counted() -> None:
    tally = Tally(0.0)
    tally.publish(1.0, 1.0, no_floor=True)
    tally.publish(1.0, 1.0)
    window, total = tally.window(1.0, Arrivals(2)), tally.total(1.0, Arrivals(2))
    assert (window.published, window.no_floor) == (total.published, total.no_floor) == (2, 1)
