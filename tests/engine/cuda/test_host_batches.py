"""Batches from the host's memory, on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import SLOT_CASES, run_case


@pytest.mark.parametrize(
    "case",
    [
        "batches_are_split_and_filled_up",
        "every_output_of_a_batch_comes_back",
        "batches_keep_memory_and_stream",
        "batches_on_a_given_stream_leave_it_open",
        "batches_of_many_threads_do_not_mix",
        "a_batch_that_fails_leaves_the_next_one_right",
        "an_answer_to_a_batch_is_the_callers_own",
    ],
)
def test_batches_run_on_the_gpu(standin: Path, case: str) -> None:
    run_case(standin, case, cases=SLOT_CASES)
