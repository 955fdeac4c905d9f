"""One image at a time on the GPU, and the CUDA graph of its work, on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import DEVICE_CASES, SLOT_CASES, run_case
from tiny_model import TinyModel


@pytest.mark.parametrize(
    "case",
    [
        "the_third_image_of_a_shape_runs_as_a_graph",
        "another_shape_drops_the_graph",
        "without_graphs_every_image_calls_the_network",
        "a_network_that_refuses_to_be_recorded_gets_no_graph",
        "a_graph_that_leaves_the_network_out_is_not_used",
    ],
)
def test_a_graph_is_used_only_if_it_is_right(standin: Path, case: str) -> None:
    run_case(standin, case, cases=SLOT_CASES)


@pytest.mark.parametrize(
    "case",
    [
        "every_resize_that_has_kernels_answers_as_the_cpu",
        "a_slot_is_done_when_its_image_is",
        "an_image_may_change_after_start",
        "an_answer_is_the_callers_own",
        "an_image_that_nobody_finished_is_replaced",
        "an_image_on_the_gpu_is_read_where_it_is",
        "depth_may_stay_on_the_gpu",
        "a_failure_leaves_the_slot_usable",
        "a_closed_slot_refuses_images",
        "a_given_stream_stays_open",
    ],
)
def test_a_slot_runs_one_image_at_a_time(standin: Path, case: str) -> None:
    run_case(standin, case, cases=SLOT_CASES)


def test_a_graph_serves_images_at_any_address(foreign: Path, tiny: TinyModel) -> None:
    run_case(foreign, "runs_as_a_graph", str(tiny.onnx), cases=DEVICE_CASES)
