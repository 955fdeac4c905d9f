"""Memory for images of one shape, on the GPU and pinned on the host; what is large enough stays for the next shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..images.preprocess import Color, Fit, Float32
from .driver.gpu import Cuda
from .driver.parts import DeviceMemory, PinnedMemory
from .kernels.kernels import TAP_BYTES


class SlotMemory:
    """Holds both pieces; reserve() comes before everything else."""

    def __init__(self, gpu: Cuda) -> None:
        self._gpu = gpu
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None  # the image, then the values

    def reserve(self, shape: Shape) -> None:
        """Make room for a shape; nothing may be using the memory."""
        if self._device is None or self._device.n_bytes < shape.device_bytes:
            self._drop_device()
            self._device = DeviceMemory(self._gpu, shape.device_bytes)
        if self._pinned is None or self._pinned.n_bytes < shape.pinned_bytes:
            self._drop_pinned()
            self._pinned = PinnedMemory(self._gpu, shape.pinned_bytes)

    def at(self, shape: Shape) -> Addresses:
        """Return where everything lies on the GPU."""
        assert self._device is not None
        return shape.addresses(self._device.address)

    def image(self, shape: Shape) -> NDArray[np.uint8]:
        """Return the image (H, W, 3) on the host."""
        assert self._pinned is not None
        return self._pinned.array[: shape.image_bytes].reshape(*shape.image_px, 3)

    def values(self, shape: Shape) -> Float32:
        """Return the depth (H, W) on the host."""
        assert self._pinned is not None
        values = self._pinned.array[shape.pinned_values : shape.pinned_bytes]
        return values.view(np.float32).reshape(shape.image_px)

    def close(self) -> None:
        """Free both."""
        self._drop_device()
        self._drop_pinned()

    def _drop_device(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _drop_pinned(self) -> None:
        pinned, self._pinned = self._pinned, None
        if pinned is not None:
            pinned.close()


ALIGNMENT = 256  # bytes; what cuMemAlloc gives and TensorRT asks for
_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """What all images that share memory, tables and graph have in common."""

    image_px: tuple[int, int]
    color: Color
    fit: Fit
    image_there: bool = False  # on the GPU already, where somebody else put it
    depth_stays: bool = False  # on the GPU, in memory of its own

    @property
    def image_bytes(self) -> int:
        """Size of the image (H, W, 3) uint8 that is brought to the GPU."""
        return 0 if self.image_there else self.image_px[0] * self.image_px[1] * 3

    @property
    def values_bytes(self) -> int:
        """Size of the depth (H, W) float32."""
        return self.image_px[0] * self.image_px[1] * _FLOAT_BYTES

    @property
    def pinned_values(self) -> int:
        """Offset of the depth behind the image in the host's memory."""
        return _aligned(self.image_bytes)

    @property
    def pinned_bytes(self) -> int:
        """Size of both in the host's memory."""
        return self.pinned_values + self.values_bytes

    @property
    def device_bytes(self) -> int:
        """Size of everything on the GPU."""
        return self.addresses(0).end

    def addresses(self, start: int) -> Addresses:
        """Lay everything out from an address on, each part aligned."""
        (height, width), (input_height, input_width) = self.image_px, self.fit.input_px
        plane_bytes = input_height * input_width * _FLOAT_BYTES
        sizes = (
            self.image_bytes,
            3 * plane_bytes,
            plane_bytes,
            self.values_bytes,
            *(side * TAP_BYTES for side in (input_height, input_width, height, width)),
        )
        at = [start]
        for size in sizes:
            at.append(at[-1] + _aligned(size))
        return Addresses(at[0], at[1], at[2], at[3], (at[4], at[5]), (at[6], at[7]), at[8])


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything of a shape lies in one piece of device memory; pairs are (rows, columns)."""

    image: int
    batch: int
    depth: int
    values: int
    cubic: tuple[int, int]
    bilinear: tuple[int, int]
    end: int


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT
