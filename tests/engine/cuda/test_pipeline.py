"""The pipeline around a network with the true pycuda, on the stand-in for the CUDA driver."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from standin import DEVICE_CASES, run_case
from tiny_model import TinyModel

INFERENCES = 400  # 10,000 by hand: python tests/support/cuda_cases.py many_threads MODEL.onnx 10000


@pytest.mark.parametrize(
    "case",
    [
        "answers_like_the_cpu",
        "answers_each_image_of_a_graph",
        "streams_in_order",
        "a_stream_gives_what_came_before_a_refusal",
        "a_failure_reaches_the_stream_that_it_belongs_to",
        "a_network_that_fails_leaves_the_slot_usable",
        "a_network_that_cannot_be_recorded",
        "a_graph_that_answers_otherwise",
        "work_for_one_run_is_not_recorded",
        "the_collector_waits_for_a_recording",
        "each_fallback_is_noted_once",
        "out_of_memory",
        "a_closed_pipeline_refuses_images",
        "forked",
    ],
)
def test_the_pipeline(standin: Path, tiny: TinyModel, case: str) -> None:
    run_case(standin, case, str(tiny.onnx))


def test_the_pipeline_takes_padding_off_again(standin: Path, tiny_static: TinyModel) -> None:
    run_case(standin, "answers_like_the_cpu", str(tiny_static.onnx))


@pytest.mark.parametrize("case", ["batches_and_streams_take_them", "onnx_runtime_takes_them"])
def test_images_on_the_gpu_go_through_every_entry(foreign: Path, tiny: TinyModel, case: str) -> None:
    run_case(foreign, case, str(tiny.onnx), cases=DEVICE_CASES)


def test_many_inferences_over_many_threads_do_not_grow(standin: Path, tiny: TinyModel) -> None:
    output = run_case(standin, "many_threads", str(tiny.onnx), str(INFERENCES))
    assert re.match(rf"{INFERENCES} inferences over 8 threads: [+-]\d", output)


@pytest.mark.parametrize("function", ["cuLaunchKernel", "cuEventSynchronize", "cuGraphLaunch", "cuMemcpyHtoDAsync_v2"])
def test_a_lost_gpu_is_named_by_every_later_call(standin: Path, tiny: TinyModel, function: str) -> None:
    run_case(standin, "lost", str(tiny.onnx), function)


@pytest.mark.parametrize("function", ["cuStreamCreate", "cuEventCreate"])
def test_a_pipeline_that_cannot_be_opened_leaves_nothing(standin: Path, tiny: TinyModel, function: str) -> None:
    run_case(standin, "failure_while_opening", str(tiny.onnx), function, "2")
