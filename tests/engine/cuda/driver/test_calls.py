"""Functions of the CUDA driver through ctypes, on the stand-in for the driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from standin import DRIVER_CASES, run_case

from depthrt.engine.cuda.driver import calls
from depthrt.engine.cuda.driver.calls import status_of
from depthrt.engine.errors import BackendUnavailable


@pytest.mark.parametrize(
    "case", ["a_call_that_fails_names_itself_and_the_reason", "an_empty_stack_of_contexts_is_an_error"]
)
def test_calls_of_the_driver_are_checked(standin: Path, case: str) -> None:
    run_case(standin, case, cases=DRIVER_CASES)


def test_a_call_without_a_driver_is_refused_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise BackendUnavailable("no NVIDIA driver is on this machine")

    monkeypatch.setattr(calls, "load_driver", missing)
    calls._function.cache_clear()
    for _ in range(2):
        with pytest.raises(BackendUnavailable, match="no NVIDIA driver is on this machine"):
            status_of("cuGraphDestroy", None)
