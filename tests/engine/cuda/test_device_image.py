"""Images and depth that stay on the GPU, with the true pycuda, on a stand-in for the driver: standin_foreign.cpp."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from foreign import compile_with_foreign
from kernels_on_host import HERE
from standin import run_case
from tiny_model import TinyModel

from depthrt.engine.trt.build.build import build_engine
from depthrt.engine.trt.build_options import BuildOptions

RTX = "tensorrt_rtx_bindings"
RANGE = BuildOptions(min_px=(126, 126), opt_px=(126, 168), max_px=(224, 224))

INFERENCES = 400  # 10,000 by hand: python tests/support/device_cases.py many_threads MODEL.onnx 10000


@pytest.fixture(scope="module")
def library(standin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the stand-in with what another library brings; skipped where there is none."""
    return compile_with_foreign(tmp_path_factory.mktemp("foreign"))


def run(library: Path, case: str, *arguments: object) -> str:
    return run_case(library, case, *map(str, arguments), cases=HERE / "device_cases.py")


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_host",
        "a_single_row_or_column_has_any_stride",
        "runs_as_a_graph",
        "waits_for_the_stream_that_is_named",
        "batches_and_streams_take_them",
        "what_does_not_fit_is_refused",
        "depth_is_freed_once",
        "depth_holds_while_others_are_computed",
        "memory_runs_out",
        "an_error_midway_leaves_nothing",
        "exits_cleanly_without_close",
        "onnx_runtime_takes_them",
    ],
)
def test_images_and_depth_stay_on_the_gpu(library: Path, tiny: TinyModel, case: str) -> None:
    run(library, case, tiny.onnx)


@pytest.mark.parametrize("model", ["tiny_static", "tiny_metric"])
def test_models_of_other_kinds_answer_like_the_host(library: Path, model: str, request: pytest.FixtureRequest) -> None:
    run(library, "answers_like_the_host", request.getfixturevalue(model).onnx)


def test_many_inferences_over_many_threads_do_not_grow(library: Path, tiny: TinyModel) -> None:
    said = run(library, "many_threads", tiny.onnx, INFERENCES)
    assert re.match(rf"{INFERENCES} inferences over 8 threads: [+-]\d", said)


@pytest.mark.parametrize("function", ["cuLaunchKernel", "cuEventSynchronize", "cuGraphLaunch"])
def test_a_lost_gpu_is_named_once_and_for_all(library: Path, tiny: TinyModel, function: str) -> None:
    run(library, "loses_the_gpu", tiny.onnx, function)


@pytest.mark.skipif(find_spec(RTX) is None, reason=f"engines are NOT run: {RTX} has no wheel for this platform")
def test_an_engine_takes_and_leaves_them_on_the_gpu(library: Path, tiny: TinyModel, tmp_path: Path) -> None:
    engine = build_engine(tiny.onnx, tmp_path / "model.engine", options=RANGE).path
    run(library, "an_engine_takes_them", engine, tiny.onnx)
