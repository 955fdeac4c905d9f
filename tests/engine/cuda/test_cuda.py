"""The CUDA layer and the device pipeline with the true pycuda, on a stand-in for the driver: standin_cuda.cpp."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest
from standin import run_case
from tiny_model import TinyModel

from depthrt.engine.cuda.driver.driver import DRIVERS
from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.errors import BackendUnavailable

INFERENCES = 400  # 10,000 by hand: python tests/support/cuda_cases.py many_threads MODEL.onnx 10000


def a_driver_is_here() -> bool:
    for name in DRIVERS:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


@pytest.mark.skipif(a_driver_is_here(), reason="this machine has an NVIDIA driver")
def test_a_machine_without_a_driver_is_told_so() -> None:
    with pytest.raises(BackendUnavailable, match="no NVIDIA driver is on this machine"):
        Cuda()


@pytest.mark.parametrize(
    "case",
    [
        "copies_in_order",
        "leaves_the_threads_own_context_alone",
        "forgotten_gpus_free_themselves",
        "exits_cleanly_without_close",
    ],
)
def test_the_cuda_layer(standin: Path, case: str) -> None:
    run_case(standin, case)


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_cpu",
        "answers_each_image_of_a_graph",
        "streams_in_order",
        "a_stream_gives_what_came_before_a_refusal",
        "a_network_that_fails_leaves_the_slot_usable",
        "a_network_that_cannot_be_recorded",
        "a_graph_that_answers_otherwise",
        "the_collector_waits_for_a_recording",
        "out_of_memory",
        "closed",
        "forked",
    ],
)
def test_the_pipeline(standin: Path, tiny: TinyModel, case: str) -> None:
    run_case(standin, case, str(tiny.onnx))


def test_the_pipeline_takes_padding_off_again(standin: Path, tiny_static: TinyModel) -> None:
    run_case(standin, "answers_like_the_cpu", str(tiny_static.onnx))


def test_many_inferences_over_many_threads_do_not_grow(standin: Path, tiny: TinyModel) -> None:
    said = run_case(standin, "many_threads", str(tiny.onnx), str(INFERENCES))
    assert re.match(rf"{INFERENCES} inferences over 8 threads: [+-]\d", said)


@pytest.mark.parametrize("function", ["cuLaunchKernel", "cuEventSynchronize", "cuGraphLaunch", "cuMemcpyHtoDAsync_v2"])
def test_a_lost_gpu_is_named_once_and_for_all(standin: Path, tiny: TinyModel, function: str) -> None:
    run_case(standin, "lost", str(tiny.onnx), function)


@pytest.mark.parametrize("function", ["cuStreamCreate", "cuEventCreate"])
def test_a_pipeline_that_cannot_be_opened_leaves_nothing(standin: Path, tiny: TinyModel, function: str) -> None:
    run_case(standin, "failure_while_opening", str(tiny.onnx), function, "2")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"STANDIN_FAIL": "cuInit=100"}, "the NVIDIA driver has no GPU .cuInit answers 100"),
        ({"STANDIN_FAIL": "cuDeviceGetCount=100"}, "the NVIDIA driver has 0 GPU"),
        (
            {"STANDIN_FAIL": "cuDevicePrimaryCtxRetain=2"},
            r"Stand-in GPU has not enough free memory \(.*out of",
        ),
        ({"STANDIN_FAIL": "cuCtxPushCurrent_v2=201"}, r"Stand-in GPU refuses a CUDA call \(.*invalid device context\)"),
        (
            {"STANDIN_FAIL": "cuModuleLoadDataEx=209"},
            r"Stand-in GPU, compute capability 8.9, cannot load depthrt's kernels \(.*no kernel image.*\); update",
        ),
        ({"STANDIN_CAPABILITY": "52"}, "compute capability 5.2, depthrt's kernels need 7.5 or newer"),
    ],
    ids=["driver", "count", "memory", "context", "kernels", "old"],
)
def test_a_gpu_that_cannot_be_opened_says_why(standin: Path, environment: dict[str, str], message: str) -> None:
    run_case(standin, "cannot_open", message, environment=environment)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (803, "the NVIDIA driver does not start: cuInit answers 803; see what nvidia-smi says"),
        (3, "the NVIDIA driver does not start: cuInit answers 3, as in a process that was forked when CUDA had"),
    ],
)
def test_a_driver_that_does_not_start_says_why(standin: Path, status: int, message: str) -> None:
    run_case(standin, "cannot_start", message, environment={"STANDIN_FAIL": f"cuInit={status}"})


def test_who_asks_for_any_device_is_told_of_a_driver_that_does_not_start(standin: Path, tiny: TinyModel) -> None:
    run_case(standin, "auto_says_why_not", str(tiny.onnx), environment={"STANDIN_FAIL": "cuInit=803"})
