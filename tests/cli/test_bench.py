"""`depthrt bench`: the group and its verbs `compare` and `bisect`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import Result
from made_report import make_report
from onnx import numpy_helper
from run_verb import run
from tiny_model import TinyModel

from depthrt.bench.numbers.result_file import write_result


def bench(*arguments: object) -> Result:
    return run("bench", *arguments)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of made reports: a run, a second run, one in which a subject is slower, one of another machine."""
    folder = tmp_path_factory.mktemp("reports")
    report = make_report()
    write_result(folder / "a.json", report)
    write_result(folder / "b.json", make_report(1))
    write_result(folder / "slower.json", make_report(2, slower=1.5))
    write_result(folder / "away [1].json", replace(report, machine=replace(report.machine, cores=64)))
    (folder / "text.json").write_text("text")
    return folder


@pytest.mark.parametrize(
    ("after", "conditions", "exit_code"),
    [
        ("a.json", (), 0),
        ("a.json", ("p50>+5%", "drift>5%"), 0),
        ("b.json", ("p50>+20%", "drift>+0.1%"), 0),
        ("slower.json", (), 0),  # without a condition nothing can fail
        ("slower.json", ("p50>+5%",), 1),
        ("a.json", ("drift>1%",), 1),
    ],
)
def test_a_condition_that_is_clearly_met_makes_the_exit_code_1(
    after: str, conditions: tuple[str, ...], exit_code: int, reports: Path
) -> None:
    options = [word for condition in conditions for word in ("--fail-on", condition)]
    result = bench("compare", reports / "a.json", reports / after, *options)
    assert (result.exit_code, result.stderr) == (exit_code, "")
    assert f"{exit_code} of " in result.stdout.splitlines()[-1] if conditions else "failed" not in result.stdout


def test_a_comparison_across_machines_is_made_if_it_is_asked_for(reports: Path) -> None:
    result = bench("compare", reports / "a.json", reports / "away [1].json", "--across-machines")
    assert result.exit_code == 0 and "note: machine: cores 2 -> 64\n" in result.stdout


def test_subjects_of_two_names_are_compared_if_they_are_paired(reports: Path) -> None:
    report = make_report(1)
    subjects = tuple(replace(one, name=f"new-{one.name}") for one in report.subjects)
    write_result(reports / "renamed.json", replace(report, subjects=subjects, reference=f"new-{report.reference}"))
    files = reports / "a.json", reports / "renamed.json"
    assert "give --name OLD=NEW, or --by-position" in bench("compare", *files).stderr
    name = report.subjects[0].name
    assert f"new-{name}\n" in bench("compare", *files, "--name", f"{name}=new-{name}").stdout
    found = bench("compare", *files, "--by-position")
    assert found.exit_code == 0 and all(f"{one.name}\n" in found.stdout for one in subjects if not one.failure)


def test_a_comparison_as_markdown_has_the_same_exit_code(reports: Path) -> None:
    options = ("--fail-on", "p50>+5%", "--markdown")
    result = bench("compare", reports / "a.json", reports / "slower.json", *options)
    assert result.exit_code == 1 and result.stdout.startswith("### depthrt bench compare\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare", "a.json", "a.json", "--fail-on", "pace>5"), "condition 'pace>5' is about 'pace', expected one"),
        (("compare", "none.json", "a.json"), "none.json"),
        (("compare", "a.json", "text.json"), "text.json"),
        (("compare", "a.json", "away [1].json"), "the reports are of different machines (cores 2 -> 64)"),
    ],
)
def test_bad_comparisons_are_refused_in_one_line(
    reports: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(reports)
    result = bench(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ") and message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_bisect_verb_names_a_planted_layer(tiny: TinyModel, tmp_path: Path) -> None:
    model = onnx.load(tiny.onnx)
    weight = next(tensor for tensor in model.graph.initializer if "blocks.2" in tensor.name)
    spoilt = numpy_helper.to_array(weight) * np.float32(1.5)
    weight.CopyFrom(numpy_helper.from_array(spoilt.astype(np.float32), weight.name))
    onnx.save(model, tmp_path / "spoilt.onnx")
    found = bench("bisect", tiny.onnx, tmp_path / "spoilt.onnx")
    assert found.exit_code == 1 and "run 1: up to " in found.stderr
    assert "departs at " in found.stdout and "blocks.2" in found.stdout
    same = bench("bisect", tiny.onnx, tiny.onnx)
    assert same.exit_code == 0 and "no departure" in same.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Commands:"),
        (("compare", "a.json"), "Missing argument 'B.json'."),
        (("compare", "a.json", "b.json", "--fail-if", "p50>1ms"), "No such option '--fail-if'"),
        (("bisect", "a.onnx"), "Missing argument 'SUSPECT.onnx'."),
        (("bisect", "a.onnx", "b.onnx", "--tolerance", 0), "0.0 is not in the range x>0."),
        (("bisect", "a.onnx", "b.onnx", "--threads", 0), "0 is not in the range x>=1."),
    ],
)
def test_wrong_usage_names_what_is_wrong(arguments: tuple[object, ...], message: str) -> None:
    result = bench(*arguments)
    assert (result.exit_code, result.stdout) == (2, "") and message in result.stderr


@pytest.mark.parametrize("names", [("nothing.onnx", "text.onnx"), ("text.onnx", "nothing.onnx")])
def test_a_file_that_cannot_be_bisected_is_one_line(names: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("text")
    result = bench("bisect", *(tmp_path / name for name in names))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {tmp_path / names[0]}") and result.stderr.count("\n") == 1


def test_help_shows_every_verb_and_its_example() -> None:
    group, verb = bench("--help"), bench("measure", "-h")
    assert "measure" in group.output and "compare" in group.output and "bisect" in group.output
    assert "Example:" in group.output and "--ground-truth" in verb.output
