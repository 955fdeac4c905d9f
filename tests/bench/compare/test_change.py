"""The change of a figure, with the interval of two independent figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from compared_reports import exact

from depthrt.bench.compare.change import absolute_change, change_of, percent_change, relative_change
from depthrt.bench.numbers.figures import FIGURES
from depthrt.bench.numbers.result import Interval

MONTE_CARLO = 0.02  # of the half width, from 200 000 draws


def test_the_interval_of_a_change_is_that_of_two_independent_figures() -> None:
    random = np.random.default_rng(1)
    spread = (0.02, 0.035)  # standard deviations of the two logarithms
    drawn = [math.log(value) + random.normal(0, one, 200_000) for value, one in zip((50, 60), spread, strict=True)]
    low, high = np.percentile(np.exp(drawn[1] - drawn[0]) - 1, (2.5, 97.5))
    figures = [
        Interval(value, value * math.exp(-1.96 * one), value * math.exp(1.96 * one))
        for value, one in zip((50, 60), spread, strict=True)
    ]
    found = relative_change(*figures)
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(low, abs=MONTE_CARLO * (high - low))
    assert found.high == pytest.approx(high, abs=MONTE_CARLO * (high - low))


def test_a_change_of_exact_figures_has_no_interval() -> None:
    assert absolute_change(exact(2.0), exact(3.5)) == exact(1.5)
    assert relative_change(exact(2.0), exact(3.0)).low == pytest.approx(0.5)
    assert relative_change(exact(0.0), exact(0.0)) == exact(0.0)
    assert relative_change(exact(0.0), exact(1.0)) == exact(math.inf)


def test_an_interval_that_reaches_zero_leaves_the_change_open() -> None:
    found = relative_change(Interval(10, 9, 11), Interval(20, 0, 25))
    assert found.low == -1
    assert found.high > 1


def test_an_absolute_change_has_the_interval_of_a_difference() -> None:
    found = absolute_change(Interval(10, 7, 11), Interval(20, 16, 25))
    assert found == Interval(10, 10 - math.hypot(4, 1), 10 + math.hypot(5, 3))


def test_a_change_and_its_way_back_are_reciprocal() -> None:
    before, after = Interval(100, 97, 104), Interval(120, 115, 123)
    there, back = relative_change(before, after), relative_change(after, before)
    assert (1 + there.value) * (1 + back.value) == pytest.approx(1)
    assert (1 + there.low) * (1 + back.high) == pytest.approx(1)
    assert (1 + there.high) * (1 + back.low) == pytest.approx(1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(0.0, 0.0, 0.0), (0.0, 2.0, math.inf), (0.0, -2.0, -math.inf), (-2.0, -1.0, 0.5), (2.0, 0.0, -1.0)],
)
def test_figures_that_are_not_positive_change_without_an_interval(before: float, after: float, expected: float) -> None:
    assert relative_change(exact(before), Interval(after, after - 1, after + 1)) == exact(expected)


@pytest.mark.parametrize(
    ("figure", "before", "after", "doubt", "clear"),
    [
        ("host.p50", Interval(100, 99, 101), Interval(110, 109, 111), "", True),
        ("host.p50", Interval(100, 99, 101), Interval(90, 89, 91), "", True),
        ("host.p50", Interval(100, 99, 101), Interval(103, 102, 104), "", False),  # two runs differ by as much
        ("host.p50", Interval(100, 90, 110), Interval(110, 100, 120), "", False),
        ("host.p50", Interval(100, 99, 101), Interval(110, 109, 111), "unknown noise", False),
        ("drift", exact(0.001), exact(0.001001), "", True),
        ("drift", exact(0.001), exact(0.001), "", False),
    ],
)
def test_a_change_is_clear_beyond_the_noise_of_what_is_measured(
    figure: str, before: Interval, after: Interval, doubt: str, clear: bool
) -> None:
    assert change_of(FIGURES[figure], "one", "", before, after, doubt=doubt).clear is clear


def test_a_line_names_the_figure_its_data_set_and_both_values() -> None:
    line = change_of(FIGURES["host.p50"], "one", "", exact(100.0), exact(105.0)).line()
    assert FIGURES["host.p50"].title in line and "100 ms -> 105 ms: +5.0 %" in line
    line = change_of(FIGURES["abs_rel"], "one", "nyu", exact(0.1), exact(0.2)).line()
    assert " on nyu " in line


def test_a_part_of_a_whole_changes_by_points() -> None:
    line = change_of(FIGURES["delta1"], "one", "nyu", exact(0.95), exact(0.93)).line()
    assert line.endswith(": -2 points")


def test_a_percentage_has_its_interval_if_there_is_one() -> None:
    assert percent_change(exact(0.05)) == "+5.0 %"
    text = percent_change(Interval(0.05, 0.03, 0.07))
    assert text.startswith("+5") and "(95 % +3" in text and "to +7" in text
