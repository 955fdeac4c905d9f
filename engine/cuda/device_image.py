"""An image in the memory of a GPU that another library made: what its __cuda_array_interface__ says, checked."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ..errors import InputError
from .driver.calls import answer_of

if TYPE_CHECKING:
    from .driver.gpu import Cuda


from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

# Source: Numba, CUDA Array Interface (version 3), Synchronization: 1 is the legacy default stream.
DEFAULT_STREAM = 1
_EXPECTED = "expected __cuda_array_interface__ of (H, W, 3) uint8"


class OnDevice(Protocol):
    """An array on a GPU: a tensor of torch, an array of CuPy, a GPUArray of pycuda."""

    @property
    def __cuda_array_interface__(self) -> Any:  # noqa: ANN401 (a dictionary, whose type each library writes otherwise)
        """Return its address, shape and type."""


@dataclass(frozen=True, slots=True)
class DeviceImage:
    """An image (H, W, 3) uint8 on a GPU.

    Args:
        address: Of its first pixel; the bytes of a row follow each other.
        image_px: (H, W).
        row_bytes: From one row's address to the next.
        stream: Handle of the stream whose work has to be done first; None where nothing is to be waited for.
        owner: What keeps the memory alive.
    """

    address: int
    image_px: tuple[int, int]
    row_bytes: int
    stream: int | None
    owner: object = field(repr=False)


# (H, W, 3) uint8, on the host or on a GPU.
Image = NDArray[np.uint8] | DeviceImage


def is_on_device(image: object) -> TypeGuard[OnDevice]:
    """Return whether something has a __cuda_array_interface__; a torch tensor on the CPU has none."""
    return hasattr(image, "__cuda_array_interface__")


def read_interface(image: OnDevice) -> DeviceImage:
    """Return what lies where.

    A version 2 interface, torch's, names no stream: the default stream is waited for, on which torch works unless
    it was told otherwise.

    Raises:
        InputError: It is no (H, W, 3) uint8, its pixels lie apart, or the interface is of another version.
    """
    found: Mapping[str, Any] = image.__cuda_array_interface__
    name, shape, kind = type(image).__name__, tuple(found["shape"]), found["typestr"]
    if found["version"] not in (2, 3):
        _refuse(f"{name} with version {found['version']} of the interface", "update the library that made it")
    if kind != "|u1" or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        _refuse(f"{name} {shape} of type {kind}", "convert it on the GPU")
    if found.get("mask") is not None:
        _refuse(f"{name} with a mask", "give it without one")
    stream = found.get("stream") if found["version"] == 3 else DEFAULT_STREAM
    if stream == 0:
        _refuse(f"{name} with stream 0, which the interface forbids", "update the library that made it")
    row_bytes = _row_bytes(shape, found.get("strides"))
    if row_bytes is None:
        _refuse(f"{name} with strides {tuple(found['strides'])}", "rows may lie apart, pixels not: make it contiguous")
    return DeviceImage(int(found["data"][0]), (shape[0], shape[1]), row_bytes, stream, image)


def _row_bytes(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> int | None:
    """Return the distance of rows, or None where the bytes of a row do not follow each other."""
    height, width, channels = shape
    if strides is None:
        return width * channels
    row, pixel, channel = strides
    if channel != 1 or (width > 1 and pixel != channels) or (height > 1 and row < width * channels):
        return None
    return row if height > 1 else width * channels  # a single row's stride may be anything


def _refuse(found: str, way_out: str) -> NoReturn:
    raise InputError(f"image: {found} found, {_EXPECTED}; {way_out}")


# Source: CUDA driver API, CUpointer_attribute and CUevent_flags
_DEVICE_ORDINAL = 9


def check_place(gpu: Cuda, image: DeviceImage) -> None:
    """Raise InputError for an image that lies on another GPU, or on none."""
    device = ctypes.c_int(-1)
    with gpu.current():
        status = answer_of("cuPointerGetAttribute", ctypes.byref(device), _DEVICE_ORDINAL, image.address)
    if status != 0 or device.value < 0:
        raise InputError(
            f"image: the address {image.address:#x} found, which is on no GPU; expected one on {gpu.name}; "
            "give it from the process that made it, and not after it was freed"
        )
    if device.value != gpu.index:
        raise InputError(
            f"image: on GPU {device.value} found, the model is on GPU {gpu.index}, {gpu.name}; "
            "copy it there, or to the host"
        )
