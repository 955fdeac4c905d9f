"""`depthrt tune`: what it measures, what it picks, and that load() obeys."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import BackendUnavailable, BudgetError, InputError
from depthrt.bench.drift.drift_meter import DriftMeter
from depthrt.bench.numbers.result import Drift, Interval
from depthrt.bench.run.candidates import Candidate
from depthrt.bench.run.request import TuneRequest
from depthrt.bench.run.tune import fastest, find_reference, tune
from depthrt.cli import main
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.runners.tuning import Tuning, forget_choice, recall_choice, recall_tuning, remember_choice
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.system.spread import spread
from depthrt.engine.terms import CpuRunner, Precision

THREADS = 1  # two that share the cores of a busy machine wait for each other
COFFEE = PHOTOS / "coffee.jpg"
PLAIN = Choice("onnxruntime", "fp32", THREADS)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def drift(mean: float) -> Drift:
    reference = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    meter = DriftMeter("reference", kind="inverse")
    meter.add("image", reference, reference + np.float32(0.96 * mean))
    return replace(meter.result(), mean=mean)


def candidate(
    speed: float, mean: float, *, runner: CpuRunner = "openvino", precision: Precision = "bf16", failure: str = ""
) -> Candidate:
    return Candidate(
        Choice(runner, precision, THREADS), speed=Interval(speed, speed, speed), drift=drift(mean), failure=failure
    )


@pytest.fixture(scope="module")
def file(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of this module's own, so that no other test meets what is remembered for it."""
    path = Path(shutil.copy(tiny.onnx, tmp_path_factory.mktemp("tune") / "mine.onnx"))
    with path.open("ab") as data:
        data.write(b"\x12\x04mine")  # another producer_name, which gives the file its own size and content
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
    contract = read_contract(file)
    assert recall_choice(file, contract, THREADS) == chosen
    with depthrt.load(file, device="auto", threads=THREADS) as model:
        assert (model.runner.name, model.runner.precision) == (chosen.runner, chosen.precision)
        found = model.infer(depthrt.read_image(COFFEE)).provenance
    assert found.precision == chosen.precision and str(recall_tuning(file, contract, THREADS)) in found.notes
    assert recall_choice(file, contract, THREADS + 1) is None


def test_forgetting_brings_the_default_back(file: Path, generous: Result) -> None:
    contract = read_contract(file)
    tuning = recall_tuning(file, contract, THREADS)
    assert tuning is not None
    found = run("tune", file, "--forget", "--threads", THREADS)
    assert found.exit_code == 0 and found.stdout.startswith("removed ")
    assert recall_choice(file, contract, THREADS) is None
    assert "nothing was remembered" in run("tune", file, "--forget", "--threads", THREADS).stdout
    with depthrt.load(file, device="auto", threads=THREADS) as model:
        default = available_choices(contract, THREADS)[0]
        assert (model.runner.name, model.runner.precision) == (default.runner, default.precision)


def test_a_budget_of_nothing_takes_float32_and_the_table_says_so(file: Path) -> None:
    result = run("tune", file, "--budget", "0%", "--rounds", 2, "--threads", THREADS, "--images", COFFEE)
    assert result.exit_code == 0, result.output
    for word in ("candidate", "median", "p90", "speed", "drift", "p99", "edge F1", "far", "chosen", "default"):
        assert word in result.stdout, word
    tuning = recall_tuning(file, read_contract(file), THREADS)
    assert tuning is not None and tuning.choice.precision == "fp32" and tuning.budget == 0.0
    assert str(tuning) in result.stdout
    assert "remembered in " in result.stderr
    assert f"to undo it: depthrt tune {file} --forget --threads 1" in result.stderr


def test_info_says_what_is_remembered(file: Path) -> None:
    contract, cores = read_contract(file), usable_cores()
    forget_choice(file, contract, cores)
    forget_choice(file, contract, THREADS)
    assert "tuned" not in run("info", file).stdout
    tuning = Tuning(Choice("onnxruntime", "fp32", 1), 2.5, 0.0, 0.005, "2026-11-21T12:00:00+00:00", ())
    remember_choice(file, contract, cores, tuning)
    assert str(tuning) in run("info", file).stdout
    assert json.loads(run("info", file, "--json").stdout)["tuned"]["speed"] == 2.5
    forget_choice(file, contract, cores)
    assert json.loads(run("info", file, "--json").stdout)["tuned"] is None
    remember_choice(file, contract, cores + 1, tuning)
    shown, found = run("info", file).stdout, json.loads(run("info", file, "--json").stdout)
    assert f"  --threads {cores + 1}  {tuning} (" in shown and f"--forget --threads {cores + 1}` undoes it" in shown
    assert found["tuned"] is None and found["tuned_by_threads"][str(cores + 1)]["speed"] == 2.5
    forget_choice(file, contract, cores + 1)


def test_fewer_threads_are_tried_and_taken_where_they_are_faster(tiny: TinyModel) -> None:
    found = tune(TuneRequest(tiny.onnx, images=[COFFEE], threads=2, rounds=2, choices=()))
    wide, *narrow = found.candidates  # ONNX Runtime alone, which is always measured
    assert wide.choice == found.default == replace(PLAIN, threads=2) and wide.speed is not None
    if not narrow:
        assert any(note.startswith("onnxruntime fp32, 1 thread was left out") for note in found.notes)
        assert found.chosen is wide
        return
    (one,) = narrow
    assert one.choice == replace(PLAIN, threads=1) and one.speed is not None
    assert (found.chosen is one) == (one.speed.value > 1.0)
    assert recall_choice(tiny.onnx, read_contract(tiny.onnx), 2) == found.chosen.choice


def test_a_choice_that_fails_is_listed_with_its_reason_and_the_others_go_on(tiny: TinyModel) -> None:
    impossible = Choice("onnxruntime", "bf16", 1)
    found = tune(TuneRequest(tiny.onnx, images=[COFFEE], threads=1, rounds=2, choices=[impossible]))
    by_choice = {one.choice: one for one in found.candidates}
    assert by_choice[impossible].failure and by_choice[impossible].latency is None
    assert found.chosen.choice in (PLAIN, found.default)
    (trial,) = [one for one in found.tuning.trials if one.choice == impossible]
    assert trial.failure == by_choice[impossible].failure and trial.median_ms is None


def test_the_fastest_within_the_budget_wins() -> None:
    plain, quick = candidate(1.0, 0.0, runner="onnxruntime", precision="fp32"), candidate(2.0, 0.002)
    over = candidate(3.0, 0.02, precision="int8")
    assert fastest([plain, quick, over], 0.005) is quick
    assert fastest([plain, quick, over], 0.03) is over
    assert fastest([plain, quick, over], 0.001) is plain


def test_of_two_that_are_as_fast_the_one_that_drifts_less_wins() -> None:
    slower, coarse = candidate(1.99, 0.001), candidate(2.0, 0.004, precision="int8")
    assert fastest([coarse, slower], 0.005) is slower
    exact, rounded = candidate(2.0, 0.0, precision="fp32"), candidate(2.01, 1e-7, precision="fp32")
    assert fastest([exact, rounded], 0.005) is rounded  # rounding is no drift, so speed decides


def test_a_budget_of_nothing_allows_the_rounding_of_float32_alone() -> None:
    assert candidate(1.0, 1e-6, precision="fp32").within(0.0)
    assert not candidate(1.0, 1e-4, precision="fp32").within(0.0)
    assert not candidate(1.0, 1e-6, precision="bf16").within(0.0)


def test_what_failed_never_wins_and_each_reason_is_named() -> None:
    broken, over = candidate(9.0, 0.0, failure="3 values of its answers are not finite"), candidate(2.0, 0.02)
    with pytest.raises(BudgetError, match=r"within a drift of 0.500 % .*not finite.*drift 2.00 %"):
        fastest([broken, over], 0.005)


def test_images_for_times_are_spread_over_all() -> None:
    paths = [Path(str(number)) for number in range(10)]
    assert spread(paths, 4) == [paths[0], paths[2], paths[5], paths[7]]
    assert spread(paths[:3], 4) == paths[:3]


def test_the_reference_is_onnx_runtime() -> None:
    assert find_reference([Choice("openvino", "fp32", 2), PLAIN]) == PLAIN
    with pytest.raises(BackendUnavailable, match=r"pip install 'depthrt\[cpu\]'"):
        find_reference([Choice("openvino", "fp32", 2)])


@pytest.mark.parametrize("budget", [1.0, -0.1, float("nan")])
def test_a_budget_that_is_not_a_share_is_refused(budget: float) -> None:
    with pytest.raises(InputError, match=f"drift_budget {budget} found, expected a share from 0 to below 1"):
        TuneRequest("model.onnx", drift_budget=budget)


def test_tuning_needs_nothing_beyond_the_cpu_extra() -> None:
    others = ("torch", "onnx", "jinja2", "h5py", "skimage", "safetensors", "transformers")
    modules = "depthrt.bench.run.tune, depthrt.cli.tune"
    code = f"import {modules}, sys; print([name for name in {others} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
