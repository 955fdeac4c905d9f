"""Finding a GPU, without a driver and on the stand-in for it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest
from standin import DRIVER_CASES, run_case
from tiny_model import TinyModel

from depthrt.engine.cuda.driver.driver import DRIVERS, DriverFault, find_gpu, load_driver
from depthrt.engine.errors import BackendUnavailable


def has_driver() -> bool:
    for name in DRIVERS:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


@pytest.mark.skipif(has_driver(), reason="this machine has an NVIDIA driver")
def test_a_machine_without_a_driver_is_an_error_that_says_what_is_needed() -> None:
    for use in (find_gpu, load_driver):
        with pytest.raises(BackendUnavailable, match=r"^no NVIDIA driver is on this machine; an NVIDIA GPU and its dr"):
            use()


def test_the_first_driver_that_loads_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str) -> object:
        loaded.append(name)
        if name == DRIVERS[0]:
            raise OSError("cannot open shared object file")
        return name

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert load_driver() == DRIVERS[1]  # type: ignore[comparison-overlap]
    assert loaded == list(DRIVERS)


@pytest.mark.parametrize("case", ["a_gpu_is_described", "a_gpu_that_does_not_exist_is_refused"])
def test_the_driver_describes_its_gpus(standin: Path, case: str) -> None:
    run_case(standin, case, cases=DRIVER_CASES)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("cuInit=100", r"the NVIDIA driver has no GPU \(cuInit returns 100\); an NVIDIA GPU is needed"),
        ("cuInit=34", r"the NVIDIA driver has no GPU \(cuInit returns 34\); an NVIDIA GPU is needed"),
        ("cuDeviceGetCount=100", r"the NVIDIA driver has 0 GPU\(s\), GPU 0 was asked for"),
        ("cuDeviceGet=101", r"the NVIDIA driver has 1 GPU\(s\), GPU 0 was asked for"),
    ],
)
def test_a_driver_without_a_gpu_is_refused(standin: Path, failure: str, message: str) -> None:
    run_case(standin, "cannot_open", message, cases=DRIVER_CASES, environment={"STANDIN_FAIL": failure})


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (803, "the NVIDIA driver does not start: cuInit returns 803; run nvidia-smi to find out why"),
        (
            3,
            "the NVIDIA driver does not start: cuInit returns 3, as in a process that was forked when CUDA had started",
        ),
    ],
)
def test_a_driver_that_does_not_start_is_a_fault_with_its_reason(standin: Path, status: int, message: str) -> None:
    environment = {"STANDIN_FAIL": f"cuInit={status}"}
    run_case(standin, "cannot_start", message, cases=DRIVER_CASES, environment=environment)


def test_a_driver_that_does_not_start_counts_as_an_unavailable_backend() -> None:
    assert issubclass(DriverFault, BackendUnavailable)


def test_any_device_falls_back_to_the_cpu_and_names_the_drivers_fault(standin: Path, tiny: TinyModel) -> None:
    environment = {"STANDIN_FAIL": "cuInit=803"}
    run_case(standin, "any_device_falls_back_to_the_cpu", str(tiny.onnx), environment=environment)
