"""The change of a figure, with the interval of two independent figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from compared_reports import exact

from depthrt.bench.compare.change import absolute_change, relative_change
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
