"""An open GPU with the true pycuda, on the stand-in for the CUDA driver."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from standin import DRIVER_CASES, run_case

from depthrt.engine.cuda.driver.gpu import import_pycuda
from depthrt.engine.errors import BackendUnavailable


@pytest.mark.parametrize(
    "case",
    [
        "the_threads_own_context_stays_current",
        "a_refused_call_leaves_the_gpu_usable",
        "a_lost_gpu_refuses_every_call",
        "a_gpu_that_is_lost_while_it_closes_is_abandoned",
        "a_closed_gpu_refuses_every_call",
        "a_forgotten_gpu_frees_itself",
        "the_process_ends_cleanly_without_close",
    ],
)
def test_an_open_gpu(standin: Path, case: str) -> None:
    run_case(standin, case, cases=DRIVER_CASES)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"STANDIN_FAIL": "cuDevicePrimaryCtxRetain=2"},
            r"Stand-in GPU has not enough free memory \(.*out of",
        ),
        ({"STANDIN_FAIL": "cuCtxPushCurrent_v2=201"}, r"Stand-in GPU refuses a CUDA call \(.*invalid device context\)"),
        (
            {"STANDIN_FAIL": "cuModuleLoadDataEx=209"},
            r"Stand-in GPU, compute capability 8.9, cannot load depthrt's kernels \(.*no kernel image.*\); update",
        ),
        ({"STANDIN_CAPABILITY": "52"}, "compute capability 5.2, depthrt's kernels need 7.5 or newer; use device='cpu'"),
        ({"STANDIN_CAPABILITY": "74"}, "compute capability 7.4, depthrt's kernels need 7.5 or newer; use device='cpu'"),
    ],
    ids=["memory", "context", "kernels", "old", "almost"],
)
def test_a_gpu_that_cannot_be_opened_is_refused_with_the_reason(
    standin: Path, environment: dict[str, str], message: str
) -> None:
    run_case(standin, "cannot_open", message, cases=DRIVER_CASES, environment=environment)


def test_a_missing_pycuda_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycuda", None)
    with pytest.raises(
        BackendUnavailable, match=r"pycuda cannot be imported \(.*\); install it with: pip install 'dep"
    ):
        import_pycuda()
