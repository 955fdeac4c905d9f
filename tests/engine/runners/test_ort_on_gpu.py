"""ONNX Runtime's CUDA provider behind the device pipeline, on stand-ins for the driver and for the provider."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import onnxruntime
import pytest
from kernels_on_host import HERE
from made_onnx import with_contract
from made_resizes import with_kernels, without_kernels
from standin import run_case
from standin_onnxruntime import write_gpu_build
from tiny_model import TinyModel

from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.size_rule import SizeRule


def run(library: Path, case: str, onnx: Path, **environment: str) -> None:
    run_case(library, case, str(onnx), cases=HERE / "ort_cases.py", environment=environment)


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_cpu",
        "several_threads",
        "a_file_of_any_size_runs_without_a_graph",
        "without_pycuda_the_host_resizes",
        "a_provider_that_does_not_start",
        "a_run_that_fails",
        "loses_the_gpu",
        "forgotten_models_free_themselves",
    ],
)
def test_onnx_runtime_on_a_gpu(standin: Path, tiny: TinyModel, case: str) -> None:
    run(standin, case, tiny.onnx)


def test_metres_and_sky_on_a_gpu_are_those_of_the_cpu(standin: Path, tiny_sky: TinyModel) -> None:
    run(standin, "metres_and_sky_are_those_of_the_cpu", tiny_sky.onnx)


def test_a_tuned_choice_follows_a_provider_that_does_not_start(standin: Path, tiny: TinyModel, tmp_path: Path) -> None:
    write_gpu_build(tmp_path / "site")
    case, cache = "a_tuned_choice_follows_a_provider_that_does_not_start", str(tmp_path / "cache")
    found = os.pathsep.join([str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
    run(standin, case, tiny.onnx, DEPTHRT_CACHE=cache, PYTHONPATH=found)


def test_resizes_without_kernels_go_by_the_host(standin: Path, tiny: TinyModel, tmp_path: Path) -> None:
    files: list[str] = []
    for number, (contract, words) in enumerate(without_kernels(read_contract(tiny.onnx), 126, 14)):
        files += [str(with_contract(tiny.onnx, tmp_path / f"{number}.onnx", contract)), words]
    run_case(standin, "resizes_without_kernels_go_by_the_host", *files, cases=HERE / "ort_cases.py")


def test_resizes_with_kernels_stay_on_the_gpu(standin: Path, tiny: TinyModel, tmp_path: Path) -> None:
    contract = with_kernels(read_contract(tiny.onnx), SizeRule((98, 126), 14, "minimal"))[-1]
    run(standin, "resizes_with_kernels_stay_on_the_gpu", with_contract(tiny.onnx, tmp_path / "tiny.onnx", contract))


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_cpu",
        "several_threads",
        "a_file_of_one_size_runs_as_a_graph",
        "a_session_that_cannot_be_recorded_still_runs",
        "a_stream_takes_the_next_image_while_one_runs",
    ],
)
def test_a_file_of_one_size_on_a_gpu(standin: Path, tiny_static: TinyModel, case: str) -> None:
    run(standin, case, tiny_static.onnx)


def test_only_a_file_in_float32_is_kept_off_the_tensor_cores(standin: Path, tiny_half: TinyModel) -> None:
    run(standin, "a_file_in_half_runs", tiny_half.onnx)


def test_the_stand_in_has_nothing_that_onnx_runtime_has_not() -> None:
    standin = import_module("standin_onnxruntime")
    for name in ("InferenceSession", "IOBinding"):
        own = {attribute for attribute in vars(getattr(standin, name)) if not attribute.startswith("_")}
        own -= {"works", "failure", "recordable", "left_error", "runs"}  # of the tests
        assert own and own <= set(dir(getattr(onnxruntime, name))), name
    options = onnxruntime.RunOptions()
    options.add_run_config_entry(standin.ASYNCHRONOUS, "1")
