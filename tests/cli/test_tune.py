"""The options of `depthrt tune`, its old names included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tiny_model import TinyModel

from depthrt.cli import main
from depthrt.cli.tune import tune as tune_verb


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@pytest.mark.parametrize("budget", ["0.5", "half", "-1%", "100%", "%"])
def test_a_budget_that_is_no_percentage_is_wrong_usage(tiny: TinyModel, budget: str) -> None:
    result = run("tune", tiny.onnx, "--budget", budget)
    assert result.exit_code == 2 and "such as 0.5%" in result.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.onnx", "nothing.onnx does not exist"),
        ("text.onnx", "not a whole ONNX file"),
        ("net.pth", "is a checkpoint; make a model file of it first"),
        ("net.engine", "is a TensorRT engine; give the .onnx file"),
    ],
)
def test_what_is_no_model_file_is_one_line(tmp_path: Path, name: str, message: str) -> None:
    for one in ("text.onnx", "net.pth", "net.engine"):
        (tmp_path / one).write_text("text")
    for more in ((), ("--forget",)):
        result = run("tune", tmp_path / name, *more)
        assert result.exit_code == 1 and message in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_without_images_is_one_line(tmp_path: Path, tiny: TinyModel) -> None:
    result = run("tune", tiny.onnx, "--images", tmp_path)
    assert result.exit_code == 1 and "no image" in result.stderr


def test_help_has_defaults_and_an_example() -> None:
    text = run("tune", "--help").stdout
    assert "0.5%" in text and "depthrt tune model.onnx" in text and "Example:" in text


def budget(*options: str) -> object:
    return tune_verb.make_context("tune", ["model.onnx", *options]).params["drift_budget"]


@pytest.mark.parametrize("option", ["--drift-budget", "--budget"])
def test_the_budget_has_its_old_name_too(option: str) -> None:
    assert budget(option, "2%") == pytest.approx(0.02) and budget() == pytest.approx(0.005)
    text = run("tune", "--help").stdout
    assert "--drift-budget PERCENT" in text and " --budget" not in text


def test_forgetting_what_was_never_tuned_says_so(tiny: TinyModel) -> None:
    found = run("tune", tiny.onnx, "--forget", "--threads", 7)
    assert found.exit_code == 0
    assert found.stdout == f"nothing was remembered for {tiny.onnx} with these threads\n"
    assert json.loads(run("tune", tiny.onnx, "--forget", "--json").stdout) == {"path": str(tiny.onnx), "removed": None}
