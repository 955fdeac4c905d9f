"""The first NVIDIA GPU through NVML: name, driver, memory and energy; nothing without nvidia-ml-py or a driver."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any


class Nvml:
    """The first NVIDIA GPU; a figure that NVML does not support is "" or None.

    Args:
        library: The module pynvml, initialised.
        device: Its handle of the GPU.
    """

    def __init__(self, library: ModuleType, device: object) -> None:
        self._library, self._device = library, device

    @property
    def name(self) -> str:
        """Return the GPU's name, or ""."""
        return self._ask(self._library.nvmlDeviceGetName, self._device) or ""

    @property
    def driver(self) -> str:
        """Return the driver's version, or ""."""
        return self._ask(self._library.nvmlSystemGetDriverVersion) or ""

    def used_mib(self) -> float | None:
        """Return the GPU memory in use by all processes."""
        memory = self._ask(self._library.nvmlDeviceGetMemoryInfo, self._device)
        return None if memory is None else float(memory.used) / 2**20

    def joules(self) -> float | None:
        """Return the energy since the driver was loaded; None before Volta."""
        millijoules = self._ask(self._library.nvmlDeviceGetTotalEnergyConsumption, self._device)
        return None if millijoules is None else float(millijoules) / 1e3

    def _ask(self, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 (as pynvml answers)
        """Return what NVML answers, None if it refuses."""
        try:
            return function(*arguments)
        except self._library.NVMLError:
            return None


def open_nvml() -> Nvml | None:
    """Return the first GPU; None without nvidia-ml-py, an NVIDIA driver or a GPU."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return Nvml(pynvml, pynvml.nvmlDeviceGetHandleByIndex(0))
    except pynvml.NVMLError:
        return None
