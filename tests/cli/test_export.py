"""`depthrt export`: options reach the library, notes and the result are printed, and what is wrong is one line."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from made import CONTRACT
from run_verb import run
from tiny_model import PHOTOS, TinyModel

from depthrt import BudgetError
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.terms import OnStep
from depthrt.export import to_onnx
from depthrt.export.onnx_file import saved
from depthrt.export.parity.parity import Parity
from depthrt.export.to_onnx import Exported

DEFAULTS = {
    "family": None,
    "kind": None,
    "max_depth_m": None,
    "weights": "auto",
    "steps": None,
    "seed": None,
    "noise": None,
    "size": None,
    "precision": "fp32",
    "attention": None,
    "mirror": True,
    "half_storage": False,
    "images": None,
    "budget": None,
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Calls of the library, which exports nothing, gives one note and has one step."""
    found: list[dict[str, object]] = []

    def export_checkpoint(
        checkpoint: Path, path: Path, *, on_note: Callable[[str], None], on_step: OnStep, **options: object
    ) -> Exported:
        found.append({"checkpoint": checkpoint, "path": path, **options})
        on_note("The file's name is official [v2].")
        on_step("trace the graph", 0, 1)
        return Exported(path, CONTRACT, 1.5, (Parity("a photograph", (28, 42), 1, 1e-7, 2e-7),))

    monkeypatch.setattr(to_onnx, "export_checkpoint", export_checkpoint)
    return found


def test_without_options_the_defaults_are_those_of_the_help(calls: list[dict[str, object]]) -> None:
    assert run("export", "a.pth", "-o", "a.onnx").exit_code == 0
    assert calls == [{"checkpoint": Path("a.pth"), "path": Path("a.onnx"), **DEFAULTS}]


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("--family", "depth-anything-v2", "--kind", "metric", "--max-depth", 20),
         {"family": "depth-anything-v2", "kind": "metric", "max_depth_m": 20.0}),
        (("--size", "518X686"), {"size": (518, 686)}),
        (("--no-mirror",), {"mirror": False}),
        (("--family", "midas"), {"family": "midas"}),
        (("--size", "252"), {"size": 252}),
        (("--precision", "fp16-safe", "--attention", "plain"), {"precision": "fp16-safe", "attention": "plain"}),
        (("--weights", "ema", "--half-storage"), {"weights": "ema", "half_storage": True}),
        (("--precision", "int8", "--drift-budget", "0.5%"), {"precision": "int8", "budget": 0.005}),
        (("--precision", "int8", "--images", PHOTOS / "coffee.jpg", "--images", PHOTOS / "chelsea.jpg"),
         {"precision": "int8", "images": [PHOTOS / "coffee.jpg", PHOTOS / "chelsea.jpg"]}),
    ],
)  # fmt: skip
def test_each_option_reaches_the_library(
    arguments: tuple[object, ...], changed: dict[str, object], calls: list[dict[str, object]]
) -> None:
    result = run("export", "a.pth", "-o", "a.onnx", *arguments)
    assert result.exit_code == 0, result.stderr
    assert calls == [{"checkpoint": Path("a.pth"), "path": Path("a.onnx"), **DEFAULTS, **changed}]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.usefixtures("calls")
def test_the_result_is_printed_and_notes_and_steps_are_talk(as_json: bool) -> None:
    result = run("export", "a.pth", "-o", "a.onnx", *(["--json"] if as_json else []))
    assert result.stderr == "The file's name is official [v2].\ntrace the graph ...\n"
    if as_json:
        assert json.loads(result.stdout)["path"] == "a.onnx"
    else:
        assert result.stdout.startswith("a.onnx: depth-anything-v2-vits, fp32, 1.5 MiB\n")


@pytest.mark.usefixtures("calls")
def test_the_old_spelling_of_a_budget_is_taken_with_one_note() -> None:
    result = run("export", "a.pth", "-o", "a.onnx", "--precision", "int8", "--drift-budget", "1")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: --drift-budget 1 is read as 1%; write 1%\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.pth",), "Missing option '-o' / '--output'."),
        (("-o", "a.onnx"), "Missing argument 'CHECKPOINT'."),
        (("a.pth", "-o", "a.onnx", "--size", "big"), "'big' found, expected a number such as 518, or HxW"),
        (("a.pth", "-o", "a.onnx", "--size", "1x2x3"), "'1x2x3' found, expected a number such as 518"),
        (("a.pth", "-o", "a.onnx", "--family", "dpt"), "'dpt' is not one of 'depth-anything-v1', "),
        (("a.pth", "-o", "a.onnx", "--precision", "fp8"), "'fp8' is not one of 'fp32', "),
        (("a.pth", "-o", "a.onnx", "--max-depth", "far"), "'far' is not a valid float."),
        (("a.pth", "-o", "a.onnx", "--drift-budget", "0%"), "'0%' found, expected a percentage above 0%"),
    ],
)
def test_wrong_usage_is_refused_before_the_library_is_called(
    arguments: tuple[object, ...], message: str, calls: list[dict[str, object]]
) -> None:
    result = run("export", *arguments)
    assert (result.exit_code, result.stdout, calls) == (2, "", [])
    assert message in result.stderr.splitlines()[-1]


def test_a_folder_without_images_is_one_line(tmp_path: Path, calls: list[dict[str, object]]) -> None:
    result = run("export", "a.pth", "-o", "a.onnx", "--precision", "int8", "--images", tmp_path)
    assert (result.exit_code, result.stdout, calls) == (1, "", [])
    assert result.stderr.startswith("error: ") and "no image" in result.stderr and result.stderr.count("\n") == 1


def test_what_the_library_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise BudgetError("no layer [of 48] fits into a drift of 0.1 %")

    monkeypatch.setattr(to_onnx, "export_checkpoint", refuse)
    result = run("export", "a.pth", "-o", "a.onnx", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: no layer [of 48] fits into a drift of 0.1 %\n"


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "depthrt.export.to_onnx", ModuleType("depthrt.export.to_onnx"))
    result = run("export", "a.pth", "-o", "a.onnx")
    assert result.exit_code == 1 and result.stderr.startswith("error: cannot import name ")
    assert result.stderr.endswith("; install it with: pip install 'depthrt[export]'\n")


def test_ctrl_c_is_one_word_and_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(to_onnx, "export_checkpoint", interrupted)
    result = run("export", "a.pth", "-o", "a.onnx")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "stopped by Ctrl-C; a.onnx was not written\n")


def test_export_says_what_it_inferred_and_prints_the_drift(tmp_path: Path, tiny: TinyModel) -> None:
    named = shutil.copy(tiny.checkpoint, tmp_path / "mine.pth")
    options = ("--family", "depth-anything-v2", "--kind", "metric", "--max-depth", 80, "--size", "126x126")
    result = run("export", named, "-o", tmp_path / "model.onnx", *options)
    assert result.exit_code == 0, result.stderr
    assert "depth-anything-v2-vit64x4-metric-80m, fp32" in result.stdout and "drift" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--family"),
        (("--family", "depth-anything-v2", "--kind", "metric"), "--max-depth"),
        (("--family", "depth-anything-v2", "--kind", "inverse", "--size", "500"), "size 500 found.*try 504"),
        (("--family", "depth-anything-v2", "--kind", "inverse", "--size", "500x300"), "try 504x294"),
    ],
)
def test_export_stops_with_one_line_that_names_the_way_on(
    tmp_path: Path, tiny: TinyModel, options: tuple[str, ...], message: str
) -> None:
    named = shutil.copy(tiny.checkpoint, tmp_path / "mine.pth")
    result = run("export", named, "-o", tmp_path / "model.onnx", *options)
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert re.search(message, line)
    assert not (tmp_path / "model.onnx").exists()


def test_the_verb_names_the_weights_that_must_travel_along(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "PROTOBUF_LIMIT_BYTES", 1000)
    what = ("--family", "depth-anything-v2", "--kind", "inverse", "--size", "28x42")
    found = run("export", tiny.checkpoint, "-o", tmp_path / "model.onnx", *what)
    assert found.exit_code == 0, found.output
    (weights,) = tmp_path.glob("*.data")
    assert f"note: its weights are in {weights}, which has to stay" in found.stderr


def test_the_command_says_how_many_layers_are_int8_and_warns_of_few_images(tiny: TinyModel, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    what = ("--family", "depth-anything-v2", "--kind", "inverse", "--size", "126x196")
    given = ("export", tiny.checkpoint, "-o", path, *what)
    found = run(*given, "--precision", "int8", "--drift-budget", "20%")
    assert found.exit_code == 0, found.output
    assert "warning: int8 is calibrated on the photograph that comes with depthrt" in found.stderr
    assert "int8 in " in found.stdout and "used for calibration" in found.stdout
    assert read_contract(path).precision == "int8"
    assert "int8" in run("info", path).stdout
    refused = run(*given, "--drift-budget", "1%")
    assert refused.exit_code == 1 and "they are for --precision int8" in refused.stderr


def test_a_model_that_was_not_fetched_is_one_line(calls: list[dict[str, object]]) -> None:
    result = run("export", "dpt_large_384", "-o", "a.onnx")
    assert (result.exit_code, result.stdout, calls) == (1, "", [])
    assert result.stderr.startswith("error: dpt_large_384 is no file here, and the published dpt_large_384 was not ")


def test_help_has_defaults_and_an_example() -> None:
    text = run("export", "--help").stdout
    assert "Default: the family's own size, 518 for Depth Anything." in " ".join(text.split())
    assert "[default: fp32]" in text
    assert "Example:\n    depthrt export depth_anything_v2_metric_hypersim_vits.pth -o indoor.onnx" in text


@pytest.mark.parametrize("as_json", [False, True])
def test_a_repository_for_triton_is_written_and_named(
    calls: list[dict[str, object]], tiny: TinyModel, tmp_path: Path, as_json: bool
) -> None:
    folder = tmp_path / "models"
    result = run("export", "a.pth", "-o", tiny.onnx, "--triton", folder, *(["--json"] if as_json else []))
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (folder / "tiny").iterdir()} == {"1", "config.pbtxt", "contract.json", "README.md"}
    assert "triton" not in calls[0]
    if as_json:
        assert json.loads(result.stdout)["triton"] == str(folder / "tiny")
    else:
        assert f"for Triton: {folder / 'tiny'}" in result.stdout


def test_a_repository_that_cannot_be_written_is_refused_before_the_work(
    calls: list[dict[str, object]], tmp_path: Path
) -> None:
    wrong = run("export", "a.pth", "-o", "a.onnx", "--triton", tmp_path, "--precision", "bf16")
    assert wrong.exit_code == 1 and "is for TensorRT" in wrong.stderr and calls == []
