"""Engines through the true pycuda and depthrt.load, on stand-ins for the driver and for what runs a TensorRT plan.

The plans are those of the true TensorRT-RTX; only running them is stood in for: standin_tensorrt.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from made_engine import write_engine, write_mean
from made_onnx import with_contract
from made_resizes import with_kernels, without_kernels
from on_standin import NO_RTX, RANGE, RTX, run_trt_case, with_header
from tiny_model import TinyModel

import depthrt
from depthrt import BackendUnavailable, ContractError, InputError, ModelFileError
from depthrt.engine.cuda.driver import driver
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.model_file import as_model_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.canary_check import check_canary
from depthrt.engine.runners.choice import Choice
from depthrt.engine.trt.build.build import build_engine
from depthrt.engine.trt.build_options import DEFAULT, BuildOptions
from depthrt.engine.trt.plan_file import PlanHeader, read_plan_file

NO_DEVICE = 100  # Source: CUDA driver API, CUresult
INFERENCES = 400  # of a network with weights, whose time is its own

needs_rtx = pytest.mark.skipif(find_spec(RTX) is None, reason=NO_RTX)


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_cpu",
        "takes_batches_of_any_length",
        "stages_are_those_of_infer",
        "streams_stop_where_an_image_is_bad",
        "a_graph_that_fails_is_said_once",
        "memory_runs_out",
        "closed",
        "forgotten_models_free_themselves",
        "exits_cleanly_without_close",
        "forked",
    ],
)
def test_an_engine(library: Path, engine: Path, tiny: TinyModel, case: str, tmp_path: Path) -> None:
    run_trt_case(library, case, engine, tiny.onnx, DEPTHRT_CACHE=str(tmp_path / "cache"))


def test_a_static_engine_answers_like_the_cpu(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny_static: TinyModel
) -> None:
    run_trt_case(library, "answers_like_the_cpu", build(tiny_static, DEFAULT), tiny_static.onnx)


def test_a_metric_engine_answers_like_the_cpu(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny_metric: TinyModel
) -> None:
    run_trt_case(library, "answers_like_the_cpu", build(tiny_metric, RANGE), tiny_metric.onnx)


def test_metres_and_sky_of_an_engine_are_those_of_the_cpu(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny_sky: TinyModel
) -> None:
    run_trt_case(library, "metres_and_sky_are_those_of_the_cpu", build(tiny_sky, RANGE), tiny_sky.onnx)


def test_the_verb_runs_an_engine(library: Path, engine: Path, tiny: TinyModel, tmp_path: Path) -> None:
    run_trt_case(library, "the_verb_writes_depth", engine, tiny.onnx, tmp_path)


def test_an_engine_for_batches_alone_goes_by_the_host(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel
) -> None:
    engine = build(tiny, replace(RANGE, batch=(2, 2, 4)))
    run_trt_case(library, "an_engine_for_batches_alone_goes_by_the_host", engine, tiny.onnx)


def build_resized(
    build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel, folder: Path, contract: Contract
) -> tuple[Path, Path]:
    """Return an engine of the tiny network with another contract, and its ONNX file."""
    onnx = with_contract(tiny.onnx, folder / "tiny.onnx", contract)
    return build(replace(tiny, onnx=onnx), RANGE), onnx


def test_resizes_without_kernels_go_by_the_host(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel, tmp_path: Path
) -> None:
    contract, words = without_kernels(read_contract(tiny.onnx), 126, 14)[3]
    engine, onnx = build_resized(build, tiny, tmp_path, contract)
    run_trt_case(library, "resizes_without_kernels_go_by_the_host", engine, onnx, words)


def test_resizes_with_kernels_stay_on_the_gpu(
    library: Path, build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel, tmp_path: Path
) -> None:
    contract = with_kernels(read_contract(tiny.onnx), SizeRule((126, 126), 14, "minimal"))[-1]
    run_trt_case(library, "resizes_with_kernels_stay_on_the_gpu", *build_resized(build, tiny, tmp_path, contract))


def test_a_canary_that_does_not_fit_is_said(library: Path, engine: Path, tiny: TinyModel, tmp_path: Path) -> None:
    of_the_file = read_contract(tiny.onnx)
    path = with_header(engine, tmp_path / "model.engine", lambda header: replace(header, contract=of_the_file))
    run_trt_case(library, "a_canary_that_does_not_fit_is_said", path, tiny.onnx)


@needs_rtx
def test_an_engine_gets_a_canary_of_a_size_that_it_takes(
    build: Callable[[TinyModel, BuildOptions], Path], tiny: TinyModel, tiny_static: TinyModel
) -> None:
    contract, header = read_contract(tiny.onnx), read_plan_file(build(tiny, RANGE)).header
    assert contract.canary.size_px == (252, 336) and header.contract.canary.size_px == (126, 168)
    assert replace(header.contract, canary=contract.canary) == contract
    with depthrt.load(tiny.onnx, device="cpu") as model:
        assert check_canary(model.runner, as_model_file(tiny.onnx, header.contract), threads=1)
    of_all = build(tiny, BuildOptions(min_px=(126, 126), max_px=(252, 336)))
    assert read_plan_file(of_all).header.contract == contract
    assert read_plan_file(build(tiny_static, DEFAULT)).header.contract == read_contract(tiny_static.onnx)


def test_the_canary_is_asked_once_a_plan_and_gpu(
    library: Path, engine: Path, tiny: TinyModel, tiny_metric: TinyModel, tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")
    run_trt_case(library, "the_canary_is_asked_once", engine, tiny.onnx, tiny_metric.onnx, DEPTHRT_CACHE=cache)


def test_many_inferences_over_many_threads_do_not_grow(library: Path, engine: Path, tiny: TinyModel) -> None:
    said = run_trt_case(library, "many_threads", engine, tiny.onnx, INFERENCES)
    assert re.match(rf"{INFERENCES} inferences over 8 threads: [+-]\d", said)


def test_ten_thousand_inferences_of_a_network_that_costs_nothing_do_not_grow(library: Path, tmp_path: Path) -> None:
    onnx = write_mean(tmp_path / "mean.onnx")
    engine = build_engine(onnx, tmp_path / "mean.engine").path
    said = run_trt_case(library, "many_threads", engine, onnx, 10_000, "mean")
    assert re.match(r"10000 inferences over 8 threads: [+-]\d", said)


@pytest.mark.parametrize("function", ["standin_launch", "cuEventSynchronize", "cuGraphLaunch"])
def test_a_lost_gpu_is_named_once_and_for_all(library: Path, engine: Path, tiny: TinyModel, function: str) -> None:
    run_trt_case(library, "loses_the_gpu", engine, tiny.onnx, function)


def test_an_onnx_file_gets_an_engine_when_cuda_is_asked_for(library: Path, tiny: TinyModel, tmp_path: Path) -> None:
    run_trt_case(library, "an_onnx_file_gets_an_engine", tiny.onnx, DEPTHRT_CACHE=str(tmp_path / "cache"))


def test_an_engine_that_departs_from_the_canary_is_replaced_and_said(
    library: Path, tiny: TinyModel, tiny_metric: TinyModel, tmp_path: Path
) -> None:
    run_trt_case(
        library, "an_engine_that_fails_is_replaced", tiny.onnx, tiny_metric.onnx, DEPTHRT_CACHE=str(tmp_path / "cache")
    )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("cuInit", "runs on NVIDIA GPUs only, and the NVIDIA driver has no GPU"),
        ("cuDeviceGetCount", r"and the NVIDIA driver has 0 GPU\(s\)"),
        ("cuDevicePrimaryCtxRetain", r"Stand-in GPU refuses a CUDA call"),
    ],
)
def test_a_machine_without_a_gpu_that_works_is_told_so(
    library: Path, engine: Path, tiny: TinyModel, function: str, message: str
) -> None:
    run_trt_case(library, "refuses", engine, tiny.onnx, "BackendUnavailable", message, function, NO_DEVICE)


def test_a_gpu_that_is_too_old_for_an_engine_is_named(library: Path, engine: Path, tiny: TinyModel) -> None:
    message = "is for GPUs of portable, compute capability 8.0 and later; Stand-in GPU has 7.5; build it again"
    run_trt_case(library, "refuses", engine, tiny.onnx, "BackendUnavailable", message, STANDIN_CAPABILITY="75")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda header: replace(header, flavour="tensorrt", tensorrt_version="10.13.0"),
            r"is for TensorRT 10\.13\.0; TensorRT-RTX \S+, which is installed, cannot run it; "
            "TensorRT is not installed",
        ),
        (
            lambda header: replace(header, tensorrt_version="1.6.0.1"),
            r"was built by TensorRT-RTX 1\.6\.0\.1, \S+ is installed.*tensorrt-rtx-cu13-bindings==1\.6\.0\.1",
        ),
        (
            lambda header: replace(header, compute_capabilities=("8.6", "12.0")),
            r"is for GPUs of compute capability 8\.6, 12\.0; Stand-in GPU has 8\.9; build it again for this GPU",
        ),
    ],
    ids=["flavour", "version", "gpu"],
)
def test_an_engine_for_something_else_is_refused(
    library: Path,
    engine: Path,
    tiny: TinyModel,
    tmp_path: Path,
    change: Callable[[PlanHeader], PlanHeader],
    message: str,
) -> None:
    run_trt_case(
        library,
        "refuses",
        with_header(engine, tmp_path / "other.engine", change),
        tiny.onnx,
        "BackendUnavailable",
        message,
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1000], "is truncated: it ends after"),
        (lambda data: data[:100], "is truncated: it ends after"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "is damaged: its plan has another sha256"),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "is damaged: its header has another sha256"),
        (lambda data: b"", "is not an engine file of depthrt"),
    ],
    ids=["cut", "cut early", "flipped plan", "flipped header", "empty"],
)
def test_a_damaged_engine_is_refused(
    library: Path, engine: Path, tiny: TinyModel, tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "damaged.engine"
    path.write_bytes(damage(engine.read_bytes()))
    run_trt_case(library, "refuses", path, tiny.onnx, "ModelFileError", message)


@needs_rtx
def test_the_stand_in_has_nothing_that_tensorrt_has_not(tmp_path: Path) -> None:
    standin, true = import_module("standin_tensorrt"), import_module(RTX)
    for name in ("Runtime", "ICudaEngine", "IRuntimeConfig", "IExecutionContext"):
        own = {attribute for attribute in vars(getattr(standin, name)) if not attribute.startswith("_")}
        own -= {"onnx", "executions", "capturable"}  # of the tests
        assert own and own <= set(dir(getattr(true, name))), name
    plan = read_plan_file(build_engine(write_mean(tmp_path / "mean.onnx"), tmp_path / "mean.engine").path).plan
    assert plan.startswith(standin.PLAN_MAGIC)


def test_without_a_gpu_an_engine_says_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "DRIVERS", ("libcuda-of-nobody.so",))
    path = write_engine(tmp_path / "model.engine")
    with pytest.raises(BackendUnavailable, match=r"runs on NVIDIA GPUs only, and no NVIDIA driver .* \.onnx file"):
        depthrt.load(path)
    with pytest.raises(BackendUnavailable, match=r"no CUDA provider.*no NVIDIA driver is on this machine"):
        depthrt.load(write_mean(tmp_path / "mean.onnx"), device="cuda")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "cpu"}, "is a TensorRT engine, which runs on NVIDIA GPUs only; on a CPU use the .onnx file"),
        ({"choice": Choice("onnxruntime", "fp32", 1)}, "is a TensorRT engine, which runs on NVIDIA GPUs only"),
        ({"precision": "fp16"}, "is fp32, precision fp16 was asked for; build an engine of a file exported with"),
    ],
)
def test_options_that_no_engine_has_are_refused(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        depthrt.load(write_engine(tmp_path / "model.engine"), **options)  # type: ignore[arg-type]


def test_an_engine_of_another_format_is_refused(tmp_path: Path) -> None:
    path = write_engine(tmp_path / "model.engine")
    data = bytearray(path.read_bytes())
    data[8] += 1
    path.write_bytes(data)
    with pytest.raises(ContractError, match="has engine format 2, this depthrt reads format 1"):
        depthrt.load(path)
    with pytest.raises(ModelFileError, match="does not exist"):
        depthrt.load(tmp_path / "nothing.engine")
