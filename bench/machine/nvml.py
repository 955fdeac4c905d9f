"""The few NVML calls that a benchmark needs, by ctypes: name, driver, memory and energy of the first NVIDIA GPU."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

LIBRARIES = ("libnvidia-ml.so.1", "nvml.dll")
_TEXT_BYTES = 96  # Source: nvml.h, NVML_DEVICE_NAME_V2_BUFFER_SIZE
_SUCCESS = 0


class Library(Protocol):
    """A loaded NVML: its functions are attributes, and each returns 0 where it works."""

    def __getattr__(self, name: str) -> Any: ...  # noqa: ANN401 (as ctypes.CDLL)


class _Memory(ctypes.Structure):
    """nvmlMemory_t, bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Nvml:
    """The first NVIDIA GPU.

    Args:
        library: NVML, initialised.
        device: Its handle of the GPU.
    """

    def __init__(self, library: Library, device: ctypes.c_void_p) -> None:
        self._library = library
        self._device = device

    @property
    def name(self) -> str:
        """Return the GPU's name, or "" where NVML does not tell."""
        text = ctypes.create_string_buffer(_TEXT_BYTES)
        done = self._library.nvmlDeviceGetName(self._device, text, ctypes.c_uint(_TEXT_BYTES))
        return text.value.decode() if done == _SUCCESS else ""

    @property
    def driver(self) -> str:
        """Return the driver's version, or ""."""
        text = ctypes.create_string_buffer(_TEXT_BYTES)
        done = self._library.nvmlSystemGetDriverVersion(text, ctypes.c_uint(_TEXT_BYTES))
        return text.value.decode() if done == _SUCCESS else ""

    def used_mib(self) -> float | None:
        """Return the GPU memory in use by all processes; None where NVML does not tell."""
        memory = _Memory()
        done = self._library.nvmlDeviceGetMemoryInfo(self._device, ctypes.byref(memory))
        return float(memory.used) / 2**20 if done == _SUCCESS else None

    def joules(self) -> float | None:
        """Return the energy since the driver was loaded; None before Volta."""
        millijoules = ctypes.c_ulonglong()
        done = self._library.nvmlDeviceGetTotalEnergyConsumption(self._device, ctypes.byref(millijoules))
        return millijoules.value / 1e3 if done == _SUCCESS else None


def open_nvml() -> Nvml | None:
    """Return the first GPU, or None where there is no NVIDIA driver or no GPU."""
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        return first_gpu(library)
    return None


def first_gpu(library: Library) -> Nvml | None:
    """Initialise NVML and return its first GPU, or None where it has none."""
    device = ctypes.c_void_p()
    if library.nvmlInit_v2() != _SUCCESS:
        return None
    if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(0), ctypes.byref(device)) != _SUCCESS:
        return None
    return Nvml(library, device)
