"""Small plots."""

from __future__ import annotations

import math
import re

import pytest

from depthrt.bench.numbers.result import Interval
from depthrt.bench.report.svg import RUG, Axis, axis_svg, fit_axis, stack_svg, strip_svg


def test_an_axis_puts_values_where_they_belong() -> None:
    assert Axis(0.0, 200.0, False).at(50.0) == 25.0
    assert Axis(1.0, 100.0, True).at(10.0) == pytest.approx(50.0)
    assert Axis(0.0, 200.0, False).at(300.0) == 100.0
    assert Axis(0.0, 90.0, False).ticks() == (0.0, 25.0, 50.0, 75.0)
    assert Axis(0.0, 100.0, False).ticks() == (0.0, 25.0, 50.0, 75.0, 100.0)
    assert Axis(8.0, 400.0, True).ticks() == (10.0, 30.0, 100.0, 300.0)


def test_an_axis_is_logarithmic_where_values_are_far_apart() -> None:
    assert not fit_axis([10.0, 50.0]).log
    assert fit_axis([10.0, 500.0]).log
    assert fit_axis([]) == fit_axis([0.0, math.inf]) == Axis(0.0, 1.0, False)


def test_plots_draw_what_the_figures_say() -> None:
    axis = Axis(0.0, 100.0, False)
    strip = strip_svg(axis, Interval(40.0, 35.0, 50.0), samples=[38.0, 40.0, 99.0, 400.0], tail=90.0, limit=60.0)
    assert '<circle class="dot" cx="40.00%"' in strip
    assert 'class="interval" x="35.00%" y="6" width="15.00%"' in strip
    assert 'class="mark" x1="90.00%"' in strip
    assert 'class="limit" x1="60.00%"' in strip
    assert 'd="M380 4v10M400 4v10M990 4v10"' in strip  # the last sample is outside
    stack = stack_svg(axis, [(0, 10.0), (2, 30.0)])
    assert 'class="part c0" x="0.00%" y="3" width="10.00%"' in stack
    assert 'class="part c2" x="10.00%" y="3" width="30.00%"' in stack
    assert ">100 ms</text>" in axis_svg(axis, "ms")


@pytest.mark.parametrize("count", [0, 1, 2, RUG - 1, RUG, RUG + 1, 2 * RUG - 1, 5000])
def test_a_strip_has_at_most_so_many_samples_the_first_and_the_last_among_them(count: int) -> None:
    samples = [1000 * (number + 1) / (count + 1) for number in range(count)]
    strip = strip_svg(Axis(0.0, 1000.0, False), Interval(500.0, 400.0, 600.0), samples=samples[::-1])
    drawn = [float(at) for at in re.findall(r"M(\d+) 4v10", strip)]
    assert len(drawn) == min(count, RUG) and drawn == sorted(drawn)
    assert [drawn[at] for at in (0, -1) if drawn] == [round(samples[at]) for at in (0, -1) if samples]


@pytest.mark.parametrize(("value", "anchor"), [(3, "start"), (4, "middle"), (92, "middle"), (93, "end")])
def test_the_values_of_an_axis_stay_inside_it(value: int, anchor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Axis, "ticks", lambda axis: (float(value),))
    assert f'x="{value}.00%" y="17" text-anchor="{anchor}"' in axis_svg(Axis(0.0, 100.0, False), "ms")
