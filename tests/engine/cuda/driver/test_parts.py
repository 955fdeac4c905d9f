"""Memory, streams, events and graphs with the true pycuda, on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import DRIVER_CASES, run_case


@pytest.mark.parametrize(
    "case",
    [
        "copies_run_in_order",
        "events_mark_and_time_a_stream",
        "blanked_memory_is_nan",
        "memory_is_freed_once",
        "memory_that_is_short_is_an_error_that_says_what_to_do",
        "a_graph_runs_again_on_what_its_memory_holds",
    ],
)
def test_objects_on_the_gpu(standin: Path, case: str) -> None:
    run_case(standin, case, cases=DRIVER_CASES)
