"""The options of `depthrt bench measure`, its old names included."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from depthrt.bench.run.request import QUICK
from depthrt.cli import main
from depthrt.cli.measure import measure as measure_verb


def test_quick_changes_what_was_not_given_and_nothing_else() -> None:
    def taken(*options: object) -> dict[str, object]:
        context = measure_verb.make_context("measure", ["model.onnx", *map(str, options)])
        return {name: context.params[name] for name in ("rounds", "bursts", "throughput", "energy", "cold", "builds")}

    usual = {"rounds": None, "bursts": 3, "throughput": True, "energy": True, "cold": 3, "builds": 0}
    quick = {**QUICK, "builds": 0}
    assert taken() == usual
    assert taken("--quick") == quick
    asked = {"rounds": 40, "bursts": 2, "throughput": True, "energy": True, "cold": 5, "builds": 2}
    options = ("--rounds", 40, "--bursts", 2, "--throughput", "--energy", "--cold", 5, "--builds", 2)
    assert taken("--quick", *options) == taken(*options, "--quick") == asked
    assert taken("--rounds", "auto", "--quick") == quick | {"rounds": None}


@pytest.mark.parametrize("rounds", ["1", "0", "-3", "some"])
def test_rounds_that_are_no_number_are_wrong_usage(rounds: str) -> None:
    result = CliRunner().invoke(main, ["bench", "model.onnx", "--rounds", rounds])
    assert result.exit_code == 2
    assert f"'{rounds}' found, expected auto or a number of 2 or more" in result.stderr


def taken(name: str, *options: str) -> object:
    return measure_verb.make_context("measure", ["model.onnx", *options]).params[name]


@pytest.mark.parametrize("option", ["-o", "--output", "--out"])
def test_the_folder_has_its_old_name_too(option: str) -> None:
    assert taken("output", option, "somewhere") == Path("somewhere")
    assert taken("output") == Path("report")
    help_text = CliRunner().invoke(main, ["bench", "measure", "--help"]).output
    assert "-o, --output" in help_text and "--out " not in help_text


@pytest.mark.parametrize(
    ("given", "budget", "note"),
    [
        ("0.5%", 0.005, ""),
        ("0", 0.0, ""),
        ("2", 0.02, "note: --drift-budget 2 is read as 2%; write 2%\n"),
        ("150%", 1.5, ""),
    ],
)
def test_a_drift_budget_without_a_sign_is_percent_with_a_note(
    given: str, budget: float, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken("drift_budget", "--drift-budget", given) == pytest.approx(budget)
    assert capsys.readouterr().err == note
    assert taken("drift_budget") == 0.01


def test_options_that_have_other_names_in_python_reach_their_fields() -> None:
    options = ("--rate", "5", "--cap", "10", "--max-depth", "80", "--depth-units", "256", "--align", "log")
    found = measure_verb.make_context("measure", ["model.onnx", *options]).params
    names = ("rate_hz", "cap_m", "max_depth_m", "units_per_m", "alignment")
    assert [found[name] for name in names] == [5.0, 10.0, 80.0, 256.0, "log"]
