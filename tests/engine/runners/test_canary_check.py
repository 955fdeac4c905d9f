from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_onnx import sealed_again, unsealed
from numpy.typing import NDArray
from tiny_model import TinyModel

import depthrt
from depthrt.engine.modelfile.canary import canary_slope, make_canary
from depthrt.engine.modelfile.contract import Canary, read_contract
from depthrt.engine.modelfile.model_file import ModelFile, open_model_file
from depthrt.engine.runners import canary_check
from depthrt.engine.runners.canary_check import DRIFT, SLOPE, Verdict, check_canary, judge
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.runners.ort_session import CUDA
from depthrt.engine.runners.runner import Runner
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.terms import Precision

CLEAN_LOADS = 25
SIZE = (126, 168)
NOISE: dict[Precision, float] = {"fp32": 1e-6, "fp16": 1e-3, "bf16": 1e-2, "int8": 8e-3}  # of the range, measured

Fault = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class Faulty:
    """The real runner with a planted fault in its answer, at the precision that it claims."""

    def __init__(self, runner: Runner, fault: Fault, precision: Precision) -> None:
        self.name, self.provider, self.notes = runner.name, runner.provider, runner.notes
        self.precision: Precision = precision
        self.asked = 0
        self._runner, self._fault = runner, fault

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.asked += 1
        return self._fault(self._runner.run(batch))

    def close(self) -> None:
        self._runner.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def opened(tiny: TinyModel, fault: Fault, precision: Precision = "fp32") -> Faulty:
    return Faulty(open_runner(open_model_file(tiny.onnx), device="cpu", threads=1), fault, precision)


def ask(runner: Runner, path: Path, *, threads: int = 1) -> Verdict | None:
    return check_canary(runner, open_model_file(path), threads=threads)


def answer_with_noise(precision: Precision, seed: int) -> tuple[Canary, NDArray[np.float32]]:
    """Return a canary and an output with the noise of a precision."""
    rng = np.random.default_rng(seed)
    reference = (3 + np.cumsum(rng.standard_normal(SIZE), axis=1) / 10).astype(np.float32)
    spread = float(np.ptp(reference)) * NOISE[precision]
    noise = rng.normal(0, spread, SIZE).astype(np.float32)
    return make_canary(SIZE, reference, tolerance=DRIFT[precision]), reference + noise


@pytest.mark.parametrize("precision", NOISE)
@pytest.mark.parametrize("seed", range(10))
def test_noise_of_a_precision_passes_and_two_percent_of_scale_does_not(precision: Precision, seed: int) -> None:
    canary, output = answer_with_noise(precision, seed)
    bounds = DRIFT[precision], SLOPE[precision]
    assert judge(canary, output, *bounds).passed
    assert not judge(canary, output * np.float32(1.02), *bounds).passed
    assert not judge(canary, output * np.float32(0.98), *bounds).passed


@pytest.mark.parametrize("precision", DRIFT)
def test_a_drift_a_third_above_the_bound_is_refused(precision: Precision) -> None:
    """Bounds are stated here a second time: the largest drift that no runner has for rounding."""
    least_wrong = {"fp32": 1.3e-4, "fp16": 6.5e-3, "fp16-safe": 6.5e-3, "bf16": 4e-2, "int8": 2e-2}[precision]
    least_steep = {"fp32": 1.3e-3, "fp16": 6.5e-3, "fp16-safe": 6.5e-3, "bf16": 2e-2, "int8": 1.3e-2}[precision]
    assert not Verdict(least_wrong, 1.0, DRIFT[precision], SLOPE[precision]).passed
    assert not Verdict(0.0, 1 + least_steep, DRIFT[precision], SLOPE[precision]).passed


def test_a_slope_is_that_of_the_output_over_the_answer() -> None:
    canary, output = answer_with_noise("fp32", 0)
    assert canary_slope(canary, 3 * output + 5) == pytest.approx(3, rel=1e-4)
    assert np.isnan(canary_slope(canary, np.full(SIZE, np.nan, np.float32)))
    flat = make_canary(SIZE, np.ones(SIZE, np.float32), tolerance=1e-5)
    assert np.isnan(canary_slope(flat, output))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    assert not Verdict(number, 1.0, 1.0, 1.0).passed and not Verdict(0.0, number, 1.0, 1.0).passed


def test_a_good_answer_is_asked_for_once(tiny: TinyModel, cache: Path) -> None:
    runner = opened(tiny, lambda output: output)
    first = ask(runner, tiny.onnx)
    assert first is not None and first.passed and runner.asked == 1
    assert ask(runner, tiny.onnx) is None and runner.asked == 1
    (file,) = (cache / "verdicts").iterdir()
    assert json.loads(file.read_text())["verdict"]["drift"] == first.drift


def test_float32_on_a_gpu_is_held_to_the_bounds_of_float32(tiny: TinyModel, cache: Path) -> None:
    runner = opened(tiny, lambda output: output)
    runner.provider = CUDA
    verdict = ask(runner, tiny.onnx)
    assert verdict is not None and verdict.slope_bound == SLOPE["fp32"]
    assert verdict.drift_bound == max(read_contract(tiny.onnx).canary.tolerance, DRIFT["fp32"])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    "fault",
    [
        lambda output: output * np.float32(1.02),
        lambda output: output * np.float32(0.98),
        lambda output: output + np.float32(0.1) * np.ptp(output),
        lambda output: output[:, ::-1],
        lambda output: np.where(output > output.mean(), output, np.float32(np.nan)),
        np.zeros_like,
    ],
    ids=["scale up", "scale down", "shift", "upside down", "nan", "zeros"],
)
def test_a_planted_fault_is_refused_each_time(tiny: TinyModel, cache: Path, fault: Fault, precision: Precision) -> None:
    runner = opened(tiny, fault, precision)
    for times in (1, 2):
        verdict = ask(runner, tiny.onnx)
        assert verdict is not None and not verdict.passed and runner.asked == times
    assert "drift" in str(verdict) and "slope" in str(verdict) and "\n" not in str(verdict)


def test_a_changed_file_another_precision_or_a_garbled_memory_is_asked_again(
    tiny: TinyModel, cache: Path, tmp_path: Path
) -> None:
    runner = opened(tiny, lambda output: output)
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(tiny.onnx.read_bytes())
    assert ask(runner, copy) is not None
    assert ask(runner, copy) is None
    assert ask(runner, copy, threads=2) is not None
    copy.write_bytes(tiny.onnx.read_bytes())
    os.utime(copy, ns=(1, 1))
    assert ask(runner, copy) is not None
    runner.precision = "bf16"
    assert ask(runner, copy) is not None
    for file in (cache / "verdicts").iterdir():
        file.write_text("{")
    assert ask(runner, copy) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda runner, file: setattr(runner, "name", "another"),
        lambda runner, file: setattr(runner, "provider", "AnotherProvider"),
        lambda runner, file: replace(file, machine=replace(file.machine, versions={"onnxruntime": "0.1"})),
        lambda runner, file: replace(file, machine=replace(file.machine, cpu={"name": "another"})),
        lambda runner, file: replace(file, identity=file.identity | {"contract_sha256": "another"}),
    ],
    ids=["runner", "provider", "versions", "CPU", "contract"],
)
def test_a_verdict_is_for_one_runner_provider_version_and_cpu(
    change: Callable[[Faulty, ModelFile], ModelFile | None], tiny: TinyModel, cache: Path
) -> None:
    runner, file = opened(tiny, lambda output: output), open_model_file(tiny.onnx)
    assert check_canary(runner, file, threads=1) is not None
    assert check_canary(runner, file, threads=1) is None
    assert check_canary(runner, change(runner, file) or file, threads=1) is not None


def test_the_memory_is_bounded(tiny: TinyModel, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_check, "STORE", replace(canary_check.STORE, most=3))
    runner = opened(tiny, lambda output: output)
    for threads in range(1, 6):
        ask(runner, tiny.onnx, threads=threads)
    assert len(list((cache / "verdicts").iterdir())) == 3
    assert ask(runner, tiny.onnx, threads=5) is None


def test_without_a_cache_it_is_asked_each_time(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "file"))
    runner = opened(tiny, lambda output: output)
    assert ask(runner, tiny.onnx) is not None and ask(runner, tiny.onnx) is not None


def test_clean_loads_raise_no_alarm(tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(CLEAN_LOADS):
        monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / str(number)))  # so that each load asks
        with depthrt.load(tiny.onnx, threads=1 + number % max(1, usable_cores())) as model:
            assert model.runner.precision == "fp32"


@pytest.mark.parametrize(
    ("weights", "scale"),
    [("depth_head.scratch.output_conv2.2.weight", 1.02), ("pretrained.blocks.2.mlp.fc2.weight", -1.0)],
    ids=["the last layer by 2 %", "a block upside down"],
)
def test_damaged_weights_are_refused_with_the_numbers(
    tiny: TinyModel, cache: Path, tmp_path: Path, weights: str, scale: float
) -> None:
    right = tiny.state[weights].numpy()
    data = tiny.onnx.read_bytes()
    found = next(form for form in (right, right.T) if data.count(np.ascontiguousarray(form).tobytes()) == 1)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(data.replace(np.ascontiguousarray(found).tobytes(), (found * np.float32(scale)).tobytes()))
    sealed_again(broken)  # so that the canary has to notice
    for _ in range(2):
        with pytest.raises(depthrt.ParityError, match=r"drift .* on the canary, at most .* export it again") as caught:
            depthrt.load(broken)
        assert "\n" not in str(caught.value)


def test_a_bit_of_a_weight_that_flips_in_a_file_without_a_digest_has_the_canary_asked_again(
    tiny: TinyModel, cache: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.onnx"
    old.write_bytes(tiny.onnx.read_bytes())
    unsealed(old)
    runner, facts = opened(tiny, lambda output: output), old.stat()
    assert ask(runner, old) is not None and ask(runner, old) is None
    data = bytearray(old.read_bytes())
    data[len(data) // 2] ^= 1
    old.write_bytes(data)
    os.utime(old, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert ask(runner, old) is not None


def test_a_verdict_within_other_bounds_has_the_canary_asked_again(tiny: TinyModel, cache: Path) -> None:
    runner = opened(tiny, lambda output: output)
    assert ask(runner, tiny.onnx) is not None
    (file,) = (cache / "verdicts").iterdir()
    found = json.loads(file.read_text())
    found["verdict"].update(drift=0.9, drift_bound=1.0)
    file.write_text(json.dumps(found))
    assert ask(runner, tiny.onnx) is not None and runner.asked == 2
