"""Requirements of an evaluation: what holds, what holds only by its value, and what does not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_evaluation import FAILED, START, TRAINED, made_evaluation

from depthrt.bench.compare.requirements import check_requirements, parse_requirements
from depthrt.bench.numbers.evaluation import EVALUATED
from depthrt.bench.numbers.result import Interval
from depthrt.engine.errors import InputError


@pytest.mark.parametrize(
    ("text", "state", "reason"),
    [
        ("flat_residual<-60%", "passed", "flat residual 0.0800 -> 0.0200: -75.0 % (95 % -80.0 % to -70.0 %)"),
        ("flat_residual<-72%", "unclear", "flat residual 0.0800 -> 0.0200"),
        ("flat_residual<-90%", "failed", "flat residual 0.0800 -> 0.0200"),
        ("flat_residual<0.05", "passed", "flat residual 0.0200 (95 % 0.0180–0.0220)"),
        ("flat_residual<0.021", "unclear", "flat residual 0.0200"),
        ("flat_residual<0.01", "failed", "flat residual 0.0200"),
        ("flat_residual<-0.04", "passed", "flat residual 0.0800 -> 0.0200: -0.06 (95 % -0.07 to -0.05)"),
        ("clean.abs_rel<+2%", "unclear", "abs_rel of clean pixels 0.0900 -> 0.0909"),
        ("drift<2%", "passed", "drift outside mirrors and art 1.20 % (95 % 1.00–1.50 %)"),
        ("window_depth>-2%", "failed", "window depth 97.0 % -> 94.0 %: -3 points (95 % -5 to -1)"),
        ("window_depth>0.8", "passed", "window depth 97.0 %"),
        ("picture_leak<+5%", "failed", "no change of picture leak"),
        ("art.picture_leak<0.2", "failed", "picture leak of art was not measured"),
    ],
)
def test_a_requirement_is_checked_by_value_and_interval(text: str, state: str, reason: str) -> None:
    first, second = check_requirements(parse_requirements([text], against=True), made_evaluation())
    assert (first.model, first.state) == (TRAINED, state) and first.reason.startswith(reason)
    assert (second.model, second.state, second.reason) == (FAILED, "failed", "the file is damaged; export it again")


def test_a_figure_that_is_no_number_holds_nothing() -> None:
    evaluation = made_evaluation()
    trained = replace(evaluation.models[1], figures={"abs_rel": Interval(math.nan, math.nan, math.nan)})
    (one,) = check_requirements(
        parse_requirements(["abs_rel<1"], against=False), replace(evaluation, models=(trained,))
    )
    assert one.state == "failed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flat_residual", r"expected a figure, > or <, and a limit, such as flat_residual<-60%"),
        ("flatness<1", "requirement 'flatness<1' is about 'flatness', expected flat_residual, plane_error"),
        ("flat_residual<5%", r"a percentage of flat_residual is a change and needs a sign"),
        ("drift<2ms", "unit 'ms' found, expected no unit or % for drift"),
        ("flat_residual<-60%", "is against a starting network; name it with --against"),
        ("drift<2%", "is against a starting network; name it with --against"),
    ],
)
def test_a_requirement_that_cannot_be_checked_is_refused_before_anything_is_measured(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_requirements([text], against=False)


@pytest.mark.parametrize("name", EVALUATED)
def test_every_figure_can_be_required(name: str) -> None:
    absolute, change = parse_requirements([f"{name}<0.5", f"{name}<+2%"], against=True)
    assert not absolute.change and change.change and change.relative == (EVALUATED[name].unit != "share")


def test_the_starting_network_and_baselines_are_not_held_to_anything() -> None:
    found = check_requirements(parse_requirements(["abs_rel<1"], against=True), made_evaluation())
    assert START not in {one.model for one in found} and len(found) == 2
