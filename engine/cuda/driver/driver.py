"""Asks the NVIDIA driver for a GPU through ctypes, before TensorRT or pycuda: TensorRT crashes without a driver."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass

from ...errors import BackendUnavailable

# Source: CUDA driver API, CUresult: statuses of cuInit
_NO_GPU = (100, 34)  # no device; the stub library for linking programs on machines without a driver
_FORKED = 3  # this process was forked after CUDA had started
DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_NAME_BYTES = 256
# Source: CUDA driver API, CUdevice_attribute
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76


class DriverFault(BackendUnavailable):
    """An NVIDIA driver is installed but does not start."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as the driver describes it.

    Args:
        name: The product's name, e.g. "NVIDIA L4".
        compute_capability: e.g. "8.9".
    """

    name: str
    compute_capability: str


def find_gpu(index: int = 0) -> Gpu:
    """Return the name and compute capability of a GPU; takes 0.1 ms and makes no CUDA context.

    The call starts the driver, so processes that are forked from this process afterwards cannot use CUDA.

    Args:
        index: The driver's number of the GPU, from 0.

    Raises:
        BackendUnavailable: No driver is installed, or it has no such GPU.
        DriverFault: The driver does not start.
    """
    driver = load_driver()
    status = driver.cuInit(0)
    if status in _NO_GPU:
        raise BackendUnavailable(f"the NVIDIA driver has no GPU (cuInit returns {status}); an NVIDIA GPU is needed")
    if status == _FORKED:
        raise DriverFault(
            f"the NVIDIA driver does not start: cuInit returns {status}, as in a process that was forked when CUDA had "
            "started; start processes with the 'spawn' method, or load models only in the child processes"
        )
    if status != 0:
        raise DriverFault(f"the NVIDIA driver does not start: cuInit returns {status}; run nvidia-smi to find out why")
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    device = ctypes.c_int()
    if index >= count.value or driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        raise BackendUnavailable(
            f"the NVIDIA driver has {count.value} GPU(s), GPU {index} was asked for; numbers start at 0"
        )
    name = ctypes.create_string_buffer(_NAME_BYTES)
    driver.cuDeviceGetName(name, _NAME_BYTES, device)
    major, minor = (_attribute(driver, device, number) for number in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR))
    return Gpu(name.value.decode("utf-8", "replace"), f"{major}.{minor}")


def load_driver() -> ctypes.CDLL:
    """Return the driver's library.

    Raises:
        BackendUnavailable: No driver is installed.
    """
    for name in DRIVERS:
        with suppress(OSError):
            return ctypes.CDLL(name)
    raise BackendUnavailable("no NVIDIA driver is on this machine; an NVIDIA GPU and its driver are needed")


def _attribute(driver: ctypes.CDLL, device: ctypes.c_int, number: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value
