"""Memory for images of one shape, on the GPU and pinned on the host; what is large enough stays for the next shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..preprocess import Float32
from .gpu import Cuda
from .layout import Addresses, Shape
from .parts import DeviceMemory, PinnedMemory


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
