"""The NVIDIA driver, asked by ctypes: what TensorRT and pycuda need, and crash without, is found out first."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass

from ...errors import BackendUnavailable

# What cuInit answers without a GPU, and from the library that stands in for the driver where programs are built.
_NO_GPU = (100, 34)
_FORKED = 3
DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_NAME_BYTES = 256
# Source: CUDA driver API, CUdevice_attribute
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76


class DriverFault(BackendUnavailable):
    """There is a driver, and it does not start."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU as the driver tells it.

    Args:
        name: For people, e.g. "NVIDIA L4".
        compute_capability: e.g. "8.9".
    """

    name: str
    compute_capability: str


def find_gpu(index: int = 0) -> Gpu:
    """Ask the driver for one GPU; a call costs a tenth of a millisecond and makes no CUDA context.

    It starts the driver, so processes that are forked from this one later cannot use CUDA.

    Raises:
        BackendUnavailable: There is no driver or no such GPU.
        DriverFault: The driver does not start.
    """
    driver = _load_driver()
    status = driver.cuInit(0)
    if status in _NO_GPU:
        raise BackendUnavailable(f"the NVIDIA driver has no GPU (cuInit answers {status}); it needs one")
    if status == _FORKED:
        raise DriverFault(
            f"the NVIDIA driver does not start: cuInit answers {status}, as in a process that was forked when CUDA had "
            "started; start processes with the 'spawn' method, or load models in the children alone"
        )
    if status != 0:
        raise DriverFault(f"the NVIDIA driver does not start: cuInit answers {status}; see what nvidia-smi says")
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    device = ctypes.c_int()
    if index >= count.value or driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        raise BackendUnavailable(f"the NVIDIA driver has {count.value} GPU(s), number {index} was asked for")
    name = ctypes.create_string_buffer(_NAME_BYTES)
    driver.cuDeviceGetName(name, _NAME_BYTES, device)
    major, minor = (_attribute(driver, device, number) for number in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR))
    return Gpu(name.value.decode("utf-8", "replace"), f"{major}.{minor}")


def _load_driver() -> ctypes.CDLL:
    for name in DRIVERS:
        with suppress(OSError):
            return ctypes.CDLL(name)
    raise BackendUnavailable("no NVIDIA driver is on this machine; it needs an NVIDIA GPU and its driver")


def _attribute(driver: ctypes.CDLL, device: ctypes.c_int, number: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value
