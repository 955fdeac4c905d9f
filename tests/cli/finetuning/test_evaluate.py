"""`depthrt finetune evaluate`, whole: models and a manifest become a report and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from judged_rooms import write_rooms
from run_verb import run
from tiny_model import TinyModel


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rooms(tmp_path_factory.mktemp("rooms"))


def evaluated(data: Path, folder: Path, *options: object) -> Result:
    return run("finetune", "evaluate", *options, "--data", data, "-o", folder / "report")


def test_models_are_judged_against_the_starting_network_and_held_to_requirements(
    data: Path, tiny: TinyModel, tmp_path: Path
) -> None:
    wanted = ("--require", "drift<9999", "--require", "abs_rel<0.0001", "--require", "flat_residual>-100%")
    result = evaluated(
        data, tmp_path, "default", "--against", tiny.onnx, "--baselines", "--count", 2, "--json", *wanted
    )
    assert result.exit_code == 1, result.stderr
    found = json.loads(result.stdout)
    assert found == json.loads((tmp_path / "report/report.json").read_text())
    assert [one["state"] for one in found["requirements"]] == ["passed", "failed", "passed"]
    models = found["evaluation"]["models"]
    assert [one["name"] for one in models][:2] == [tiny.onnx.name, "default"] and len(models) == 4
    assert models[1]["moved"]["flat_residual"] and models[1]["figures"]["drift"]["value"] > 0
    assert "training images of" in result.stderr
    assert (tmp_path / "report/report.html").stat().st_size > 20_000


def test_a_split_without_conditions_ends_well(data: Path, tmp_path: Path) -> None:
    result = evaluated(data, tmp_path, "default", "--split", "test", "--no-examples")
    assert result.exit_code == 0 and "1 image of 1 scene, parts: 1 mirror" in result.stdout
    assert "training" not in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("default", "--require", "flat_residual<-60%"), "is against a starting network; name it with --against"),
        (("nothing.onnx",), "nothing.onnx does not exist, expected a model file or a checkpoint"),
        (("default", "--split", "val"), "is of split 'val', expected one of test, train"),
        (("default", "--align", "none", "--cap", "0.0001"), "a cap of 0.0001 m found"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(
    options: tuple[str, ...], message: str, data: Path, tmp_path: Path
) -> None:
    result = evaluated(data, tmp_path, *options)
    assert result.exit_code == 1 and result.stderr.startswith("error: ") and message in result.stderr
    assert result.stderr.count("\n") == 1
