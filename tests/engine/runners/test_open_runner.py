"""Which ways to run a file this machine has, and the opening of one of them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made import CONTRACT
from made_engine import write_mean
from tiny_model import TinyModel

from depthrt import BackendUnavailable, DepthrtError, InputError
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.open_runner import available_choices, check_options, open_runner
from depthrt.engine.runners.openvino_runner import cpu_precisions
from depthrt.engine.system.cache.folder import warn_once
from depthrt.engine.system.cores import usable_cores
from depthrt.engine.terms import CpuRunner

HAS_BF16 = "bf16" in cpu_precisions()


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))


def test_the_default_comes_first_and_every_choice_runs(tiny: TinyModel) -> None:
    contract = read_contract(tiny.onnx)
    found = available_choices(contract, 1)
    assert found[0] == Choice("onnxruntime", "fp32", 1) and Choice("openvino", "fp32", 1) in found
    assert (Choice("openvino", "bf16", 1) in found) == HAS_BF16 and len(set(found)) == len(found)
    batch = np.zeros((1, 3, 126, 126), np.float32)
    for choice in found:
        runner = open_runner(open_model_file(tiny.onnx), device="cpu", threads=None, choice=choice)
        assert (runner.name, runner.precision) == (choice.runner, choice.precision)
        assert runner.run(batch).shape == (1, 126, 126)
        runner.close()


def test_what_an_int8_file_leaves_in_float32_may_be_computed_in_bf16() -> None:
    contract = replace(CONTRACT, precision="int8")
    found = [(choice.runner, choice.precision) for choice in available_choices(contract, 1)]
    assert found[:2] == [("onnxruntime", "int8"), ("openvino", "int8")]
    assert found[2:] == ([("openvino", "bf16")] if HAS_BF16 else [])


def test_without_a_choice_onnx_runtime_runs_at_the_files_precision(tmp_path: Path) -> None:
    runner = open_runner(open_model_file(write_mean(tmp_path / "mean.onnx")), device="cpu", threads=None)
    assert (runner.name, runner.provider, runner.precision) == ("onnxruntime", "CPUExecutionProvider", "fp32")
    runner.close()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"device": "tpu"}, InputError, "device 'tpu' found, expected one of auto, cpu, cuda"),
        ({"threads": 0}, InputError, "threads 0 found, expected 1 to "),
        ({"threads": 10**6}, InputError, "threads 1000000 found, expected 1 to "),
        ({"threads": 2.0}, InputError, "threads 2.0 found, expected 1 to "),
        ({"threads": True}, InputError, "threads True found, expected 1 to "),
        ({"choice": Choice("openvino", "fp32", 10**6)}, InputError, "threads 1000000 found, expected 1 to "),
        (
            {"choice": Choice("onnxruntime", "bf16", 1)},
            BackendUnavailable,
            "in its precision, fp32; bf16 was asked for",
        ),
        ({"choice": Choice("tflite", "fp32", 1)}, InputError, "runner 'tflite' found"),  # type: ignore[arg-type]
        (
            {"choice": Choice("openvino", "fp32", 1), "device": "cuda"},
            InputError,
            "choice openvino fp32, 1 thread is for a CPU, device cuda was asked for",
        ),
    ],
)
def test_what_cannot_be_opened_is_refused(
    tmp_path: Path, options: dict[str, Any], error: type[DepthrtError], message: str
) -> None:
    file = open_model_file(write_mean(tmp_path / "mean.onnx"))
    with pytest.raises(error, match=message) as caught:
        open_runner(file, **{"device": "cpu", "threads": None, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("runner", ["onnxruntime", "openvino"])
def test_more_threads_than_cores_run_and_one_warning_has_both_numbers(
    runner: CpuRunner, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warn_once.cache_clear()
    file = open_model_file(write_mean(tmp_path / "mean.onnx"))
    threads = usable_cores() + 5
    with caplog.at_level(logging.WARNING, logger="depthrt"):
        for _ in range(2):
            opened = open_runner(file, device="cpu", threads=threads, choice=Choice(runner, "fp32", threads))
            assert opened.run(np.zeros((1, 3, 28, 28), np.float32)).shape == (1, 28, 28)
            opened.close()
    (message,) = [message for message in caplog.messages if "threads" in message]
    assert f"{threads} threads were asked for, and this process may use {usable_cores()} core" in message


def test_good_options_are_taken() -> None:
    for device in ("auto", "cpu", "cuda"):
        check_options(device, None)
        check_options(device, usable_cores())
