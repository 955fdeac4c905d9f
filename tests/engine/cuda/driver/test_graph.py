"""Recorded work, on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import DRIVER_CASES, run_case


@pytest.mark.parametrize(
    "case",
    [
        "a_recording_runs_nothing",
        "memory_of_the_host_that_nobody_keeps_is_not_recorded",
        "work_that_fails_ends_the_recording",
        "the_garbage_collector_pauses_during_every_recording",
    ],
)
def test_work_is_recorded_to_run_later(standin: Path, case: str) -> None:
    run_case(standin, case, cases=DRIVER_CASES)
