"""Images of other libraries in GPU memory: their __cuda_array_interface__ is read and checked."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .driver.calls import status_of

if TYPE_CHECKING:
    from .driver.gpu import Cuda

# Source: Numba, CUDA Array Interface (version 3), Synchronization: 1 is the legacy default stream.
DEFAULT_STREAM = 1
# Source: CUDA driver API, CUpointer_attribute
_DEVICE_ORDINAL = 9
_EXPECTED = "expected __cuda_array_interface__ of (H, W, 3) uint8"


class OnDevice(Protocol):
    """An array in GPU memory: a torch tensor, a CuPy array, a GPUArray of pycuda."""

    @property
    def __cuda_array_interface__(self) -> Any:  # noqa: ANN401 (a dictionary; each library declares another type)
        """Return the array's address, shape, type and stream."""


@dataclass(frozen=True, slots=True)
class DeviceImage:
    """An image (H, W, 3) uint8 on a GPU.

    Args:
        address: Address of the first pixel; the bytes of a row are contiguous.
        image_px: (H, W).
        row_bytes: Distance from a row to the next.
        stream: Handle (CUstream) of the stream whose work must be done before the image is read; None for no stream.
        owner: The other library's array, which keeps the memory alive.
    """

    address: int
    image_px: tuple[int, int]
    row_bytes: int
    stream: int | None
    owner: object = field(repr=False)


# An image (H, W, 3) uint8, on the host or on a GPU.
Image = NDArray[np.uint8] | DeviceImage


def is_on_device(image: object) -> TypeGuard[OnDevice]:
    """Return whether an object has a __cuda_array_interface__; a torch tensor on the CPU has none."""
    return hasattr(image, "__cuda_array_interface__")


def read_interface(image: OnDevice) -> DeviceImage:
    """Read the interface of an array that holds an image.

    Version 2 of the interface, which torch has, names no stream. The result then names the default stream, on which
    torch works unless another stream was chosen.

    Raises:
        InputError: The array is not (H, W, 3) uint8, its pixels are not contiguous, or the version is unknown.
    """
    interface: Mapping[str, Any] = image.__cuda_array_interface__
    name, shape, kind = type(image).__name__, tuple(interface["shape"]), interface["typestr"]
    if interface["version"] not in (2, 3):
        _refuse(f"{name} with version {interface['version']} of the interface", "update the library that made it")
    if kind != "|u1" or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        _refuse(f"{name} {shape} of type {kind}", "convert it on the GPU")
    if interface.get("mask") is not None:
        _refuse(f"{name} with a mask", "give it without the mask")
    stream = interface.get("stream") if interface["version"] == 3 else DEFAULT_STREAM
    if stream == 0:
        _refuse(f"{name} with stream 0, which the interface forbids", "update the library that made it")
    row_bytes = _row_bytes(shape, interface.get("strides"))
    if row_bytes is None:
        _refuse(
            f"{name} with strides {tuple(interface['strides'])}", "rows may lie apart, pixels not: make it contiguous"
        )
    return DeviceImage(int(interface["data"][0]), (shape[0], shape[1]), row_bytes, stream, image)


def _row_bytes(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> int | None:
    """Return the distance from a row to the next, or None if the bytes of a row are not contiguous."""
    height, width, channels = shape
    if strides is None:
        return width * channels
    row, pixel, channel = strides
    if channel != 1 or (width > 1 and pixel != channels) or (height > 1 and row < width * channels):
        return None
    return row if height > 1 else width * channels  # a single row's stride may be anything


def _refuse(found: str, remedy: str) -> NoReturn:
    raise InputError(f"image: {found} found, {_EXPECTED}; {remedy}")


def check_place(gpu: Cuda, image: DeviceImage) -> None:
    """Raise InputError if an image is not in the memory of this GPU."""
    device = ctypes.c_int(-1)
    with gpu.current():
        status = status_of("cuPointerGetAttribute", ctypes.byref(device), _DEVICE_ORDINAL, image.address)
    if status != 0 or device.value < 0:
        raise InputError(
            f"image: the address {image.address:#x} found, which is on no GPU; expected an address on {gpu.name}; "
            "give an image of this process that was not freed yet"
        )
    if device.value != gpu.index:
        raise InputError(
            f"image: on GPU {device.value} found, the model is on GPU {gpu.index}, {gpu.name}; "
            "copy it to that GPU, or to the host"
        )
