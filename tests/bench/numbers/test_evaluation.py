"""The figures of an evaluation by name."""

from __future__ import annotations

import pytest
from made_evaluation import TRAINED, made_evaluation

from depthrt.bench.numbers.evaluation import EVALUATED, Requirement, scoped
from depthrt.bench.numbers.result import METRICS


def test_each_scope_has_the_nine_metrics_and_each_flat_scope_the_four_figures() -> None:
    assert {name for name in EVALUATED if name.startswith("window.")} == {f"window.{metric}" for metric in METRICS}
    assert {name for name in EVALUATED if name.startswith("mirror.") and name[7:] not in METRICS} == {
        f"mirror.{name}" for name in ("flat_residual", "plane_error", "step_error", "picture_leak")
    }


@pytest.mark.parametrize(
    ("name", "larger", "unit"),
    [
        ("art.delta2", True, "share"),
        ("window_depth", True, "share"),
        ("drift", False, "share"),
        ("abs_rel", False, ""),
        ("picture_leak", False, ""),
    ],
)
def test_a_figure_says_its_unit_and_its_direction(name: str, larger: bool, unit: str) -> None:
    assert (EVALUATED[name].larger_is_better, EVALUATED[name].unit) == (larger, unit)


def test_names_of_scopes() -> None:
    assert (scoped("", "abs_rel"), scoped("art", "abs_rel")) == ("abs_rel", "art.abs_rel")


def test_an_evaluation_is_about_the_models_that_are_neither_start_nor_baseline() -> None:
    assert [model.name for model in made_evaluation().judged()] == [TRAINED, "broken.onnx"]


def test_a_requirement_is_one_line() -> None:
    assert Requirement("drift<2%", "m", "failed", "drift 3 %").line() == "failed: drift<2% for m: drift 3 %"
