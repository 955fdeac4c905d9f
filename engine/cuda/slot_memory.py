"""Memory of a slot: one allocation on the GPU and one pinned on the host, laid out for images of one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..images.preprocess import Color, Fit, Float32
from .driver.gpu import Cuda
from .driver.parts import DeviceMemory, PinnedMemory
from .kernels.kernels import TAP_BYTES

ALIGNMENT = 256  # bytes; cuMemAlloc returns it and TensorRT needs it
_FLOAT_BYTES = 4


class SlotMemory:
    """Both allocations of a slot; reserve() must be called first. The next shape reuses memory that is large enough."""

    def __init__(self, gpu: Cuda) -> None:
        self._gpu = gpu
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None  # the image, then the depth

    def reserve(self, shape: Shape) -> None:
        """Make room for a shape; no work of the GPU may be using the memory."""
        if self._device is None or self._device.n_bytes < shape.device_bytes:
            self._drop_device()
            self._device = DeviceMemory(self._gpu, shape.device_bytes)
        if self._pinned is None or self._pinned.n_bytes < shape.pinned_bytes:
            self._drop_pinned()
            self._pinned = PinnedMemory(self._gpu, shape.pinned_bytes)

    def at(self, shape: Shape) -> Addresses:
        """Return the addresses on the GPU."""
        assert self._device is not None
        return shape.addresses(self._device.address)

    @property
    def pinned(self) -> PinnedMemory:
        """Return the host's memory."""
        assert self._pinned is not None
        return self._pinned

    def image(self, shape: Shape) -> NDArray[np.uint8]:
        """Return the host's memory for the image, (H, W, 3) uint8."""
        return self.pinned.array[: shape.image_bytes].reshape(*shape.image_px, 3)

    def values(self, shape: Shape) -> Float32:
        """Return the host's memory for the depth, (H, W) float32."""
        values = self.pinned.array[shape.pinned_values : shape.pinned_bytes]
        return values.view(np.float32).reshape(shape.image_px)

    def close(self) -> None:
        """Free both allocations."""
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


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that images must have in common to share memory, tables and graph.

    Args:
        image_px: (H, W) of the image.
        color: Order of the image's channels.
        fit: How the image is fitted to the network's input.
        image_on_gpu: Whether the image is in another library's memory on the GPU already.
        depth_on_gpu: Whether the depth stays on the GPU, in memory outside the slot.
    """

    image_px: tuple[int, int]
    color: Color
    fit: Fit
    image_on_gpu: bool = False
    depth_on_gpu: bool = False

    @property
    def image_bytes(self) -> int:
        """Size of the image (H, W, 3) uint8 in the slot; 0 if it is on the GPU already."""
        return 0 if self.image_on_gpu else self.image_px[0] * self.image_px[1] * 3

    @property
    def values_bytes(self) -> int:
        """Size of the depth (H, W) float32."""
        return self.image_px[0] * self.image_px[1] * _FLOAT_BYTES

    @property
    def pinned_values(self) -> int:
        """Offset of the depth in the host's memory, behind the image."""
        return _aligned(self.image_bytes)

    @property
    def pinned_bytes(self) -> int:
        """Size of image and depth in the host's memory."""
        return self.pinned_values + self.values_bytes

    @property
    def device_bytes(self) -> int:
        """Size of the memory on the GPU."""
        return self.addresses(0).end

    def addresses(self, start: int) -> Addresses:
        """Lay out the memory on the GPU from an address on; each part starts at a multiple of ALIGNMENT."""
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
    """Addresses of a slot's parts on the GPU.

    Args:
        image: (H, W, 3) uint8.
        batch: The network's input, (3, h, w) float32.
        depth: The network's output, (h, w) float32.
        values: The depth at the image's size, (H, W) float32.
        image_taps: Tables of the image's resize, (rows, columns).
        depth_taps: Tables of the depth's resize, (rows, columns).
        end: The first address behind the last part.
    """

    image: int
    batch: int
    depth: int
    values: int
    image_taps: tuple[int, int]
    depth_taps: tuple[int, int]
    end: int


def _aligned(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT
