"""Figures as text."""

from __future__ import annotations

import math

import pytest

from depthrt.bench.numbers.result import Interval
from depthrt.bench.numbers.wording import amount, between, digits, share, times


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (digits(1234.5), "1234"),
        (digits(41.26), "41.3"),
        (digits(9.999), "10.0"),
        (digits(0.04567), "0.0457"),
        (digits(3.2e-7), "3.2e-07"),
        (digits(0.0), "0"),
        (share(0.0142), "1.42 %"),
        (share(3e-7), "< 0.001 %"),
        (share(0.0), "0 %"),
        (share(math.inf), "infinite"),
        (share(math.nan), "not a number"),
        (amount(None, "ms"), "–"),
        (amount(math.inf, "share"), "infinite"),
        (amount(math.nan, "ms"), "not a number"),
        (amount(512.4, "MiB"), "512 MiB"),
        (between(Interval(1, 0.9, 1.1), "ms"), "0.900–1.10 ms"),
        (times(2.14), "2.1×"),
        (times(1.024), "1.02×"),
        (times(13.7), "14×"),
        (times(0.051), "0.051×"),
    ],
)
def test_figures_are_written_with_the_digits_that_count(found: str, text: str) -> None:
    assert found == text
