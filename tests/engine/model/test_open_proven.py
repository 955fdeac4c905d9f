from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from standin_onnxruntime import write_gpu_build
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import InputError
from depthrt.engine.cuda.driver import driver
from depthrt.engine.model import open_proven
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import ModelFile, open_model_file
from depthrt.engine.runners import canary_check as verdicts
from depthrt.engine.runners import openvino_runner
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import available_choices
from depthrt.engine.runners.openvino_runner import cpu_precisions
from depthrt.engine.runners.runner import Runner
from depthrt.engine.runners.tuning import Tuning, remember_choice
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.system.machine import runtime_versions

HAS_BF16 = "bf16" in cpu_precisions()
needs_bf16 = pytest.mark.skipif(not HAS_BF16, reason="this CPU does not compute in bf16")
CORES = usable_cores()


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))


def remember(tiny: TinyModel, choice: Choice) -> Tuning:
    tuning = Tuning(choice, speed=2.0, drift=0.004, budget=0.005, made="2026-11-21T00:00:00+00:00", trials=())
    remember_choice(open_model_file(tiny.onnx), CORES, tuning)
    return tuning


def what_runs(model: depthrt.DepthModel) -> tuple[str, str]:
    return model.runner.name, model.runner.precision


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record for record in caplog.records if record.name == "depthrt" and record.levelno >= logging.WARNING]
    return [record.getMessage() for record in found]


def test_without_a_tuned_choice_onnx_runtime_runs_and_the_result_says_how_to_tune(
    tiny: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="depthrt"), depthrt.load(tiny.onnx) as model:
        notes = model.infer(depthrt.read_image(PHOTOS / "coffee.jpg")).provenance.notes
    assert what_runs(model) == ("onnxruntime", "fp32")
    assert [note for note in notes if f"depthrt tune {tiny.onnx}" in note] == list(notes)
    assert warnings(caplog) == [] and len(caplog.records) == 1


def test_a_remembered_choice_is_taken_and_recorded_without_a_warning(
    tiny: TinyModel, caplog: pytest.LogCaptureFixture
) -> None:
    tuning = remember(tiny, Choice("openvino", "fp32", CORES))
    with caplog.at_level(logging.INFO, logger="depthrt"), depthrt.load(tiny.onnx) as model:
        assert what_runs(model) == ("openvino", "fp32")
    assert model.notes == (str(tuning),) and warnings(caplog) == []


def test_a_choice_given_by_name_goes_before_the_remembered_one(tiny: TinyModel) -> None:
    remember(tiny, Choice("openvino", "fp32", CORES))
    with depthrt.load(tiny.onnx, choice=Choice("onnxruntime", "fp32", 1)) as model:
        assert what_runs(model) == ("onnxruntime", "fp32") and model.notes == ()


@needs_bf16
def test_a_precision_asked_for_is_what_runs(tiny: TinyModel) -> None:
    with depthrt.load(tiny.onnx, precision="bf16") as model:
        assert what_runs(model) == ("openvino", "bf16")
    remember(tiny, Choice("openvino", "bf16", CORES))
    with depthrt.load(tiny.onnx) as model:
        assert what_runs(model) == ("openvino", "bf16")
    with depthrt.load(tiny.onnx, precision="fp32") as model:
        assert what_runs(model) == ("onnxruntime", "fp32")


def test_only_a_load_that_may_take_a_gpu_asks_its_driver(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "the driver does not start; the CPU is used"
    asked: list[str] = []

    def ask() -> tuple[bool, tuple[str, ...]]:
        asked.append("driver")
        return False, (fault,)

    monkeypatch.setattr(open_proven, "_ask_driver", ask)
    with depthrt.load(tiny.onnx, device="cpu") as model:
        assert asked == [] and fault not in model.notes
    with depthrt.load(tiny.onnx, choice=Choice("onnxruntime", "fp32", 1)) as model:
        assert asked == [] and fault not in model.notes
    with depthrt.load(tiny.onnx) as model:
        assert asked == ["driver"] and fault in model.notes


@pytest.fixture
def _gpu_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have onnxruntime-gpu installed, as far as the packages say, on a machine without a GPU."""
    write_gpu_build(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(driver, "DRIVERS", ())
    assert "onnxruntime-gpu" in runtime_versions()


@pytest.mark.usefixtures("_gpu_build")
def test_a_build_for_a_gpu_that_is_not_there_changes_no_choice(tiny: TinyModel) -> None:
    tuning = remember(tiny, Choice("openvino", "fp32", CORES))
    with depthrt.load(tiny.onnx) as model:
        assert what_runs(model) == ("openvino", "fp32") and model.notes == (str(tuning),)
    if HAS_BF16:
        with depthrt.load(tiny.onnx, precision="bf16") as model:
            assert what_runs(model) == ("openvino", "bf16")


def test_a_fallback_is_said_once_and_stands_in_every_result(
    tiny: TinyModel, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_openvino(runner: Runner, file: ModelFile, *, threads: int) -> verdicts.Verdict | None:
        return verdicts.Verdict(0.5, 1.0, 0.1, 0.1) if runner.name == "openvino" else None

    tuning = remember(tiny, Choice("openvino", "fp32", CORES))
    monkeypatch.setattr(open_proven, "check_canary", refuse_openvino)
    with depthrt.load(tiny.onnx) as model:
        depths = [model.infer(depthrt.read_image(PHOTOS / "coffee.jpg")) for _ in range(2)]
        assert what_runs(model) == ("onnxruntime", "fp32")
    (said,) = warnings(caplog)
    assert "openvino fp32 on CPU does not answer" in said and said.endswith("onnxruntime fp32 is used instead")
    for depth in depths:
        fallback, *others = depth.provenance.notes
        assert said.endswith(fallback) and others == [str(tuning)]


@pytest.mark.parametrize(("lacks", "reason"), [(True, "this CPU has no VNNI"), (False, "the file is damaged")])
def test_an_int8_file_that_departs_where_vnni_is_missing_says_so(
    lacks: bool, reason: str, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = open_model_file(tiny.onnx)
    monkeypatch.setattr(open_proven, "lacks_vnni", lambda: lacks)
    assert reason in open_proven._reason(replace(file, contract=replace(file.contract, precision="int8")))
    assert "the file is damaged" in open_proven._reason(file)


@needs_bf16
def test_a_refused_runner_is_replaced_by_the_next_and_said_once(
    tiny: TinyModel, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tiny, Choice("openvino", "bf16", CORES))
    monkeypatch.setitem(verdicts.DRIFT, "bf16", 1e-9)
    with depthrt.load(tiny.onnx) as model:
        depths = [model.infer(depthrt.read_image(PHOTOS / "coffee.jpg")) for _ in range(2)]
        assert what_runs(model) == ("openvino", "fp32")
    (said,) = warnings(caplog)
    assert "openvino bf16" in said and "drift" in said and said.endswith("openvino fp32 is used instead")
    assert all(any(note in said for note in depth.provenance.notes) for depth in depths)


@needs_bf16
def test_a_runner_with_a_wrong_option_is_refused_each_time(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    # OpenVINO is told to compute in bf16, and all that it says of itself is taken for float32.
    monkeypatch.setitem(openvino_runner._HINTS, "fp32", "bf16")
    monkeypatch.setitem(openvino_runner._PRECISIONS, "bf16", "fp32")
    for _ in range(3):
        with pytest.raises(
            depthrt.ParityError, match=r"openvino fp32 on CPU does not answer .*: drift .* on the canary"
        ):
            depthrt.load(tiny.onnx, choice=Choice("openvino", "fp32", 1))


def test_a_remembered_runner_that_was_uninstalled_is_replaced(
    tiny: TinyModel, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(tiny, Choice("openvino", "fp32", CORES))
    monkeypatch.setitem(sys.modules, "openvino", None)  # as Python does for what cannot be imported
    with depthrt.load(tiny.onnx) as model:
        assert what_runs(model) == ("onnxruntime", "fp32")
    assert "pip install 'depthrt[cpu]'" in warnings(caplog)[0]
    assert available_choices(read_contract(tiny.onnx), 1) == (Choice("onnxruntime", "fp32", 1),)


def test_a_choice_asked_for_by_name_is_never_replaced(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(verdicts.SLOPE, "fp32", -1.0)
    with pytest.raises(depthrt.ParityError, match="openvino fp32 on CPU does not answer"):
        depthrt.load(tiny.onnx, choice=Choice("openvino", "fp32", 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"choice": Choice("openvino", "fp32", 1), "threads": 2}, "give one of them"),
        ({"choice": Choice("openvino", "fp32", 1), "precision": "bf16"}, "give one of them"),
        ({"precision": "int8"}, "precision int8 was asked for and no runner here computes it so"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tiny: TinyModel, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        depthrt.load(tiny.onnx, **options)  # type: ignore[arg-type]
