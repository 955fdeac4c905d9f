"""Small plots."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from depthrt.bench.numbers.result import Interval
from depthrt.bench.report.svg import (
    AXIS_PX,
    RUG,
    STRIP_PX,
    Axis,
    axis_svg,
    bar_svg,
    columns_svg,
    dots_svg,
    fit_axis,
    stack_svg,
    strip_svg,
)


def test_an_axis_puts_values_where_they_belong() -> None:
    assert Axis(0.0, 200.0, False).at(50.0) == 25.0
    assert Axis(1.0, 100.0, True).at(10.0) == pytest.approx(50.0)
    assert Axis(0.0, 200.0, False).at(300.0) == 100.0
    assert Axis(50.0, 150.0, False).at(75.0) == 25.0
    assert Axis(0.0, 90.0, False).ticks() == (0.0, 25.0, 50.0, 75.0)
    assert Axis(0.0, 100.0, False).ticks() == (0.0, 25.0, 50.0, 75.0, 100.0)
    assert Axis(50.0, 150.0, False).ticks() == (50.0, 75.0, 100.0, 125.0, 150.0)
    assert Axis(8.0, 400.0, True).ticks() == (10.0, 30.0, 100.0, 300.0)
    assert Axis(1.0, 1000.0, True).ticks() == (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    assert Axis(1.0, 10_000.0, True).ticks() == (1.0, 10.0, 100.0, 1000.0, 10_000.0)  # five decades have no 3


@pytest.mark.parametrize(("step", "next_step"), [(1.0, 2.0), (2.0, 2.5), (2.5, 5.0), (5.0, 10.0), (10.0, 20.0)])
def test_an_axis_has_four_round_steps_or_fewer(step: float, next_step: float) -> None:
    assert Axis(0.0, 4 * step, False).ticks() == tuple(number * step for number in range(5))
    assert Axis(0.0, 4.01 * step, False).ticks()[1] == next_step


def test_an_axis_is_logarithmic_where_values_are_far_apart() -> None:
    assert not fit_axis([10.0, 50.0]).log
    assert fit_axis([10.0, 500.0]).log
    assert [fit_axis([1.0, high]).log for high in (12.0, 12.1)] == [False, True]
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


def test_every_plot_is_an_element_of_its_height() -> None:
    axis, value = Axis(0.0, 100.0, False), Interval(40.0, 35.0, 50.0)
    strips = (strip_svg(axis, value), bar_svg(axis, value), stack_svg(axis, [(0, 10.0)]), dots_svg(axis, [1.0]))
    heights_px = {**dict.fromkeys(strips, STRIP_PX), axis_svg(axis, "ms"): AXIS_PX, columns_svg([1.0], 2.0): 44}
    for text, height_px in heights_px.items():
        plot = ElementTree.fromstring(text)
        assert (plot.tag, plot.get("height"), plot.text) == ("svg", str(height_px), None) and len(plot) > 1


@pytest.mark.parametrize(("count", "highest"), [(1, 2.0), (4, 4.0), (40, 0.0)])
def test_columns_stand_side_by_side_within_the_plot(count: int, highest: float) -> None:
    plot = ElementTree.fromstring(columns_svg([*map(float, range(1, count + 1))], highest, height_px=42))
    rows = [[float(bar.get(name, "").rstrip("%")) for name in ("x", "width", "y", "height")] for bar in plot[:-1]]
    assert len(rows) == count
    margin = 0.0
    for x, width, y, height in rows:
        assert x > margin and width > 0 and y > 0 and y + height == pytest.approx(41)
        margin = x + width
    assert 95 < margin < 100 if count > 1 else 90 < margin < 100
    shares = [number / highest if highest else 0 for number in range(1, count + 1)]
    assert [height for *_, height in rows] == pytest.approx([40 * min(1, share) for share in shares])


@pytest.mark.parametrize("values", [[5.0], [5.0, 40.0], [0.2, 0.4], [0.0, 3.0], [1.0, 100.0], [0.0, 1e-9, 7.0]])
def test_an_axis_shows_every_value_that_it_was_made_for(values: list[float]) -> None:
    axis = fit_axis(values)
    places = [axis.at(value) for value in values if value > 0 or not axis.log]
    assert places == sorted(set(places)) and 80 < places[-1] < 100
    assert not axis.log or places[0] > 0


@pytest.mark.parametrize(("limit", "shown"), [(0.0, True), (100.0, True), (100.1, False)])
def test_a_limit_is_drawn_if_it_is_on_the_axis(limit: float, shown: bool) -> None:
    strip = strip_svg(Axis(0.0, 100.0, False), Interval(40.0, 35.0, 50.0), limit=limit)
    assert ('class="limit"' in strip) == shown


@pytest.mark.parametrize(("high", "last"), [(0.004, "0.004 s"), (0.0004, "0.000400 s"), (400.0, "400 s")])
def test_a_tick_is_written_without_an_exponent(high: float, last: str) -> None:
    axis = axis_svg(Axis(0.0, high, False), "s")
    assert f">{last}</text>" in axis and ">0</text>" in axis


def test_a_bar_has_a_whisker_if_its_value_has_an_interval() -> None:
    axis = Axis(0.0, 100.0, False)
    assert 'class="whisker" x1="35.00%" x2="50.00%"' in bar_svg(axis, Interval(40.0, 35.0, 50.0))
    assert "whisker" not in bar_svg(axis, Interval(40.0, 40.0, 40.0))


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
