"""`depthrt tune`: a whole run on a tiny model, that load() and info obey it, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from made_tuned import make_tuned
from recalled import recall_choice
from run_verb import run
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import BudgetError
from depthrt.bench.run import tune as tune_module
from depthrt.bench.run.request import TuneRequest
from depthrt.bench.run.tune import Tuned
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.runners.tuning import Tuning, forget_choice, recall_tuning, remember_choice
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.terms import OnStep

THREADS = 1  # two that share the cores of a busy machine wait for each other
COFFEE = PHOTOS / "coffee.jpg"


@pytest.fixture(scope="module")
def file(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of this module's own, so that no other test meets what is remembered for it."""
    path = Path(shutil.copy(tiny.onnx, tmp_path_factory.mktemp("tune") / "mine.onnx"))
    os.utime(path, (0, 0))  # what is remembered is found by size and time
    return path


@pytest.fixture(scope="module")
def generous(file: Path) -> Result:
    """A run whose budget takes every precision that works."""
    options = ("--drift-budget", "20%", "--threads", THREADS, "--rounds", 2, "--images", COFFEE)
    return run("tune", file, *options, "--json")


def test_every_choice_of_this_machine_is_measured_in_one_run(file: Path, generous: Result) -> None:
    assert generous.exit_code == 0, generous.output
    found = json.loads(generous.stdout)
    available = available_choices(read_contract(file), THREADS)
    measured = {Choice(one["runner"], one["precision"], one["threads"]): one for one in found["candidates"]}
    assert set(available) <= set(measured)
    working = [one for one in measured.values() if not one["failure"]]
    assert all(one["median_ms"] > 0 and one["p90_ms"] >= one["median_ms"] for one in working)
    default = measured[Choice(**found["default"])]
    assert default["speed"] == 1.0
    assert measured[Choice(**found["reference"])]["drift"] == 0.0
    chosen = measured[Choice(**found["chosen"])]
    assert chosen["within_budget"] and chosen["speed"] >= 1.0


def test_load_obeys_what_was_tuned_and_only_with_the_same_threads(file: Path, generous: Result) -> None:
    chosen = Choice(**json.loads(generous.stdout)["chosen"])
    assert recall_choice(open_model_file(file), THREADS) == chosen
    with depthrt.load(file, device="auto", threads=THREADS) as model:
        assert (model.runner.name, model.runner.precision) == (chosen.runner, chosen.precision)
        found = model.infer(depthrt.read_image(COFFEE)).provenance
    assert found.precision == chosen.precision and str(recall_tuning(open_model_file(file), THREADS)) in found.notes
    assert recall_choice(open_model_file(file), THREADS + 1) is None


def test_forgetting_brings_the_default_back(file: Path, generous: Result) -> None:
    contract = read_contract(file)
    tuning = recall_tuning(open_model_file(file), THREADS)
    assert tuning is not None
    found = run("tune", file, "--forget", "--threads", THREADS)
    assert found.exit_code == 0 and found.stdout.startswith("removed ")
    assert recall_choice(open_model_file(file), THREADS) is None
    assert "nothing was remembered" in run("tune", file, "--forget", "--threads", THREADS).stdout
    with depthrt.load(file, device="auto", threads=THREADS) as model:
        default = available_choices(contract, THREADS)[0]
        assert (model.runner.name, model.runner.precision) == (default.runner, default.precision)


def test_a_budget_of_nothing_takes_float32_and_the_table_says_so(file: Path) -> None:
    result = run("tune", file, "--budget", "0%", "--rounds", 2, "--threads", THREADS, "--images", COFFEE)
    assert result.exit_code == 0, result.output
    for word in ("candidate", "median", "p90", "speed", "drift", "p99", "edge F1", "far", "chosen", "default"):
        assert word in result.stdout, word
    tuning = recall_tuning(open_model_file(file), THREADS)
    assert tuning is not None and tuning.choice.precision == "fp32" and tuning.budget == 0.0
    assert str(tuning) in result.stdout
    assert "remembered in " in result.stderr
    assert f"to undo it: depthrt tune {file} --forget --threads 1" in result.stderr


def test_info_says_what_is_remembered(file: Path) -> None:
    cores = usable_cores()
    forget_choice(open_model_file(file), cores)
    forget_choice(open_model_file(file), THREADS)
    assert "tuned" not in run("info", file).stdout
    tuning = Tuning(Choice("onnxruntime", "fp32", 1), 2.5, 0.0, 0.005, "2026-11-21T12:00:00+00:00", ())
    remember_choice(open_model_file(file), cores, tuning)
    assert str(tuning) in run("info", file).stdout
    assert json.loads(run("info", file, "--json").stdout)["tuned"]["speed"] == 2.5
    forget_choice(open_model_file(file), cores)
    assert json.loads(run("info", file, "--json").stdout)["tuned"] is None
    remember_choice(open_model_file(file), cores + 1, tuning)
    shown, found = run("info", file).stdout, json.loads(run("info", file, "--json").stdout)
    assert f"  --threads {cores + 1}  {tuning} (" in shown and f"--forget --threads {cores + 1}` undoes it" in shown
    assert found["tuned"] is None and found["tuned_by_threads"][str(cores + 1)]["speed"] == 2.5
    forget_choice(open_model_file(file), cores + 1)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[TuneRequest]:
    """Requests that the library gets, which measures nothing and returns a made result."""
    found: list[TuneRequest] = []

    def tune(request: TuneRequest, *, on_step: OnStep) -> Tuned:
        found.append(request)
        on_step("times", 0, 10)
        return make_tuned()

    monkeypatch.setattr(tune_module, "tune", tune)
    return found


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        ((), TuneRequest(Path("a.onnx"), images=())),
        (("--drift-budget", "2%"), TuneRequest(Path("a.onnx"), images=(), drift_budget=0.02)),
        (("--budget", "2%"), TuneRequest(Path("a.onnx"), images=(), drift_budget=0.02)),
        (("--images", "b", "--images", "c"), TuneRequest(Path("a.onnx"), images=("b", "c"))),
        (("--threads", 3, "--rounds", 2), TuneRequest(Path("a.onnx"), images=(), threads=3, rounds=2)),
    ],
)
def test_each_option_reaches_the_request(
    options: tuple[object, ...], request_: TuneRequest, requests: list[TuneRequest]
) -> None:
    result = run("tune", "a.onnx", *options)
    assert result.exit_code == 0 and requests == [request_]
    assert "chosen" in result.stdout and "times ...\n" in result.stderr and "times ..." not in result.stdout


@pytest.mark.usefixtures("requests")
def test_the_command_that_undoes_it_has_the_threads_that_were_given() -> None:
    assert "to undo it: depthrt tune 'a [1].onnx' --forget\n" in run("tune", "a [1].onnx").stderr
    found = run("tune", "a.onnx", "--threads", 2, "--json")
    assert "to undo it: depthrt tune a.onnx --forget --threads 2\n" in found.stderr
    assert json.loads(found.stdout)["path"] == "a.onnx"


def test_a_budget_that_nothing_meets_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise BudgetError("nothing works and stays within a drift of 0.500 % (onnxruntime fp32: it crashed)")

    monkeypatch.setattr(tune_module, "tune", refuse)
    result = run("tune", "a.onnx")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: nothing works") and result.stderr.count("\n") == 1


def test_ctrl_c_is_one_word_and_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tune_module, "tune", interrupted)
    result = run("tune", "a.onnx")
    assert (result.exit_code, result.stdout, result.stderr) == (
        130,
        "",
        "stopped by Ctrl-C; nothing was remembered for a.onnx\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'MODEL'."),
        (("a.onnx", "--rounds", 1), "1 is not in the range x>=2."),
        (("a.onnx", "--threads", 0), "0 is not in the range x>=1."),
        (("a.onnx", "--threads", "all"), "'all' is not a valid integer range."),
    ],
)
def test_wrong_usage_names_the_option(arguments: tuple[object, ...], message: str, requests: list[TuneRequest]) -> None:
    result = run("tune", *arguments)
    assert (result.exit_code, result.stdout, requests) == (2, "", [])
    assert message in result.stderr.splitlines()[-1]


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
    for other in ("text.onnx", "net.pth", "net.engine"):
        (tmp_path / other).write_text("text")
    for more in ((), ("--forget",)):
        result = run("tune", tmp_path / name, *more)
        assert result.exit_code == 1 and message in result.stderr and result.stderr.count("\n") == 1


def test_a_folder_without_images_is_one_line(tmp_path: Path, tiny: TinyModel) -> None:
    result = run("tune", tiny.onnx, "--images", tmp_path)
    assert result.exit_code == 1 and "no image" in result.stderr


def test_help_has_defaults_and_an_example() -> None:
    text = run("tune", "--help").stdout
    assert "0.5%" in text and "depthrt tune model.onnx" in text and "Example:" in text


def test_tuning_needs_nothing_beyond_the_cpu_extra() -> None:
    others = ("torch", "onnx", "jinja2", "h5py", "skimage", "safetensors", "transformers")
    modules = "depthrt.bench.run.tune, depthrt.cli.tune"
    code = f"import {modules}, sys; print([name for name in {others} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_shows_the_budget_by_its_present_name_only() -> None:
    text = run("tune", "--help").stdout
    assert "--drift-budget PERCENT" in text and " --budget" not in text
