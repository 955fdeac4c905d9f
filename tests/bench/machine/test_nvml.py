"""The first NVIDIA GPU through nvidia-ml-py, whose functions answer here in place of a driver."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from depthrt.bench.machine.describe import describe_machine
from depthrt.bench.machine.energy import NVML, Meter, find_meter, measure_energy
from depthrt.bench.machine.nvml import open_nvml
from depthrt.engine.errors import BackendUnavailable

DEVICE = object()
ANSWERS: dict[str, Any] = {
    "nvmlDeviceGetName": "NVIDIA H200",
    "nvmlSystemGetDriverVersion": "999.1",
    "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=2**40, free=2**39, used=512 * 2**20),
    "nvmlDeviceGetTotalEnergyConsumption": 1234,
}


def refuse(*arguments: object) -> None:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A driver with one GPU."""
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: DEVICE if index == 0 else refuse())
    for name, answer in ANSWERS.items():
        expected = () if name.startswith("nvmlSystem") else (DEVICE,)
        monkeypatch.setattr(pynvml, name, lambda *given, e=expected, a=answer: a if given == e else refuse())
    return monkeypatch


def test_a_gpu_is_named_with_its_driver_memory_and_energy(driver: pytest.MonkeyPatch) -> None:
    gpu = open_nvml()
    assert gpu is not None
    assert (gpu.name, gpu.driver, gpu.used_mib(), gpu.joules()) == ("NVIDIA H200", "999.1", 512, 1.234)
    machine, meter = describe_machine(), find_meter("CUDAExecutionProvider")
    assert (machine.gpu, machine.driver) == ("NVIDIA H200", "999.1")
    assert meter is not None and meter.source == NVML and meter.joules() == 1.234


def test_what_nvml_refuses_is_empty(driver: pytest.MonkeyPatch) -> None:
    for name in ANSWERS:
        driver.setattr(pynvml, name, refuse)
    gpu = open_nvml()
    assert gpu is not None
    assert (gpu.name, gpu.driver, gpu.used_mib(), gpu.joules()) == ("", "", None, None)
    assert find_meter("CUDAExecutionProvider") is None


def answers(driver: pytest.MonkeyPatch, *millijoules: int | None) -> list[int | None]:
    """Let the energy be these numbers, one a reading; None is a refusal. Return those that are left."""
    left = [*millijoules]

    def read(device: object) -> int | None:
        found = left.pop(0)
        if found is None:
            refuse()
        return found

    driver.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", read)
    return left


def test_a_reading_that_fails_once_is_read_again(driver: pytest.MonkeyPatch) -> None:
    left = answers(driver, 1_000, 9_000, None, 24_000)
    meter = find_meter("CUDAExecutionProvider")
    assert meter is not None
    assert measure_energy(lambda: None, meter, least_s=0).joules == 15 and not left


def test_a_counter_that_is_lost_or_falls_gives_no_energy(driver: pytest.MonkeyPatch) -> None:
    answers(driver, 1_000, 9_000, None, None, None)
    meter = find_meter("CUDAExecutionProvider")
    assert meter is not None
    with pytest.raises(BackendUnavailable, match="NVML refused 3 readings of the energy"):
        measure_energy(lambda: None, meter, least_s=0)
    with pytest.raises(BackendUnavailable, match="NVML counts -15 J, expected 0 or more"):
        measure_energy(lambda: None, Meter(NVML, iter([24.0, 9.0]).__next__), least_s=0)


@pytest.mark.parametrize("missing", ["nvmlInit", "nvmlDeviceGetHandleByIndex"], ids=["driver", "gpu"])
def test_without_a_driver_or_a_gpu_there_is_none_and_nothing_is_said(
    driver: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], missing: str
) -> None:
    driver.setattr(pynvml, missing, refuse)
    assert open_nvml() is None
    assert (describe_machine().gpu, capfd.readouterr()) == ("", ("", ""))


def test_without_the_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert open_nvml() is None
