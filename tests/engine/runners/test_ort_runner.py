"""ONNX Runtime as a runner on the CPU; test_ort_on_gpu.py has the GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_engine import SHAPE, STATIC, write_mean

from depthrt import BackendUnavailable, InputError
from depthrt.engine.modelfile.model_file import ModelFile, open_model_file
from depthrt.engine.runners.ort_runner import OrtRunner
from depthrt.engine.runners.runner import ImageRunner
from depthrt.engine.terms import Precision

MEAN = 1e-6  # of float32 sums of three numbers near 1


def write(folder: Path, precision: Precision = "fp32") -> ModelFile:
    return open_model_file(write_mean(folder / f"{precision}.onnx", replace(STATIC, precision=precision)))


def batch(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)


def test_it_answers_what_the_graph_computes(tmp_path: Path) -> None:
    runner = OrtRunner(write(tmp_path), device="cpu", threads=1)
    assert isinstance(runner, ImageRunner) and runner.pipeline is None
    assert (runner.name, runner.provider, runner.precision, runner.notes) == (
        "onnxruntime", "CPUExecutionProvider", "fp32", (),
    )  # fmt: skip
    found = runner.run(batch())
    assert found.dtype == np.float32 and np.abs(found - batch().mean(axis=1)).max() <= MEAN
    runner.free_batches()  # does nothing on a CPU
    assert np.array_equal(runner.run(batch()), found)


def test_the_canary_leaves_no_memory_behind(tmp_path: Path) -> None:
    program = """
import numpy as np
import depthrt
from pathlib import Path
model = depthrt.load("default", device="cpu", threads=1)
model.infer(np.zeros((160, 224, 3), np.uint8))
print(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])
"""
    home = {**os.environ, "DEPTHRT_CACHE": str(tmp_path)}
    first, second = (
        int(subprocess.run([sys.executable, "-c", program], env=home, capture_output=True, check=True).stdout) / 1024
        for _ in range(2)
    )
    assert next(tmp_path.rglob("*.json"))  # the canary's verdict, which the second load remembered
    assert first < second + 60  # MiB; the arena of the canary's size would be 350


def test_several_threads_get_their_own_answers(tmp_path: Path) -> None:
    runner = OrtRunner(write(tmp_path), device="cpu", threads=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(runner.run, map(batch, range(16))))
    assert all(np.abs(plane - batch(seed).mean(axis=1)).max() <= MEAN for seed, plane in enumerate(found))


def test_a_closed_runner_says_so(tmp_path: Path) -> None:
    runner = OrtRunner(write(tmp_path), device="cpu", threads=1)
    runner.close()
    runner.close()
    with pytest.raises(InputError, match="this model is closed; load it again"):
        runner.run(batch())


@pytest.mark.parametrize("precision", ["fp16", "fp16-safe"])
def test_a_half_file_on_a_cpu_has_a_note(tmp_path: Path, precision: Precision) -> None:
    runner = OrtRunner(write(tmp_path, precision), device="cpu", threads=1)
    (note,) = runner.notes
    assert (
        note.startswith(f"a CPU computes this {precision} file in float32, slower than")
        and runner.precision == precision
    )


def test_a_bf16_file_on_a_cpu_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"is bf16, which ONNX Runtime does not compute on a CPU; build an eng"
    ):
        OrtRunner(write(tmp_path, "bf16"), device="cpu", threads=1)
