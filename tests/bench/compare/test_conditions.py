"""Conditions as a person writes them."""

from __future__ import annotations

import pytest

from depthrt.bench.compare.conditions import parse_condition
from depthrt.bench.numbers.figures import FIGURES
from depthrt.engine.errors import InputError


@pytest.mark.parametrize(
    ("text", "name", "above", "limit", "change", "relative"),
    [
        ("p50>+5%", "host.p50", True, 0.05, True, True),
        (" kernel.p90 > +2 ms ", "kernel.p90", True, 2.0, True, False),
        ("p50>50ms", "host.p50", True, 50.0, False, False),
        ("drift>0.5%", "drift", True, 0.005, False, False),
        ("drift>+0.1%", "drift", True, 0.001, True, False),
        ("abs_rel>+.01", "abs_rel", True, 0.01, True, False),
        ("abs_rel>+5%", "abs_rel", True, 0.05, True, True),
        ("delta1<-1%", "delta1", False, -0.01, True, False),
        ("rss>+50MiB", "rss", True, 50.0, True, False),
        ("throughput<-5%", "throughput", False, -0.05, True, True),
        ("missed>1%", "rate.missed", True, 0.01, False, False),
    ],
)
def test_a_condition_is_read(text: str, name: str, above: bool, limit: float, change: bool, relative: bool) -> None:
    found = parse_condition(text)
    assert (found.figure.name, found.above, found.change, found.relative) == (name, above, change, relative)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a figure, > or <, and a limit"),
        ("p50", "expected a figure"),
        ("p50>=5%", "expected a figure"),
        ("p50>+five%", "expected a figure"),
        ("p50>+5%, drift>1%", "expected a figure"),
        ("p51>+5%", "is about 'p51', expected one of kernel.p50"),
        ("gpu.p50>+5%", "is about 'gpu.p50'"),
        ("p50>5%", "is a change and needs a sign, such as .5%; .* in ms"),
        ("abs_rel>5%", "needs a sign"),
        ("p50>+5MiB", "unit 'MiB' found, expected ms or %"),
        ("p50>50", "unit 'none' found, expected ms or %"),
        ("drift>5ms", "unit 'ms' found, expected no unit or %"),
    ],
)
def test_a_condition_that_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_condition(text)


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_takes_a_condition_in_its_unit_and_a_change_in_percent(name: str) -> None:
    figure = FIGURES[name]
    unit = "" if figure.unit == "share" else figure.unit
    for text, change in ((f"{name}>3{unit}", False), (f"{name}<+3{unit}", True), (f"{name}>-3%", True)):
        found = parse_condition(text)
        assert found.figure is figure
        assert (found.change, found.above, found.text) == (change, ">" in text, text)
        assert found.relative == ("%" in text and figure.unit != "share")


@pytest.mark.parametrize("text", ["p50>+5% ", " p50 > +5 %", "p50>+5.%", "p50>+05%"])
def test_spaces_and_ways_to_write_a_number_do_not_matter(text: str) -> None:
    found = parse_condition(text)
    assert (found.figure.name, found.relative) == ("host.p50", True)
    assert found.limit == pytest.approx(0.05)
    assert found.text == text.strip()


@pytest.mark.parametrize("text", ["p50>+٥%", "P50>+5%", "p50>+-5%", "p50>+1e3%", "p50=+5%", "p50>+5%\nx"])
def test_other_forms_are_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="expected a figure, > or <, and a limit, such as p50>") as caught:
        parse_condition(text)
    assert "\n" not in str(caught.value)
