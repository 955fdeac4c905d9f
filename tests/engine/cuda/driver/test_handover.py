"""Waiting for the stream of another library, on the stand-in for the CUDA driver."""

from __future__ import annotations

from pathlib import Path

from standin import DRIVER_CASES, run_case


def test_our_stream_waits_for_the_work_that_another_library_has_started(foreign: Path) -> None:
    run_case(foreign, "our_stream_waits_for_theirs", cases=DRIVER_CASES)
