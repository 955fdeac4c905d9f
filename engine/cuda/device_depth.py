"""Depth in GPU memory, which other libraries read without a copy."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from ..depth.depth import Depth, valid_pixels
from ..depth.provenance import Provenance
from ..errors import InputError
from ..modelfile.contract import Contract
from ..system.closable import Closable
from ..terms import MEANINGS
from .driver.parts import DeviceMemory, Stream


class DeviceDepth(Closable):
    """Depth of every pixel of an image, (H, W) float32 on a GPU; a context manager.

    Libraries that read `__cuda_array_interface__` use it without a copy: `torch.as_tensor(depth, device="cuda")`,
    `cupy.asarray(depth)`. The values are complete as soon as the object exists, so no stream has to be waited for.
    The memory is freed by close(), by garbage collection or by the model's close(); arrays made without a copy must
    not be used afterwards. A pixel is valid if its value is finite and, for "metric" and "scale",
    larger than 0.

    Args:
        memory: Memory with the values; this object frees it.
        contract: Contract of the model.
        provenance: Where the values come from.
    """

    def __init__(self, memory: DeviceMemory, contract: Contract, provenance: Provenance) -> None:
        self._memory = memory
        self.provenance = provenance
        self.kind, self.max_depth_m = contract.kind, contract.max_depth_m

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.provenance.image_px

    @property
    def unit(self) -> str:
        """Return "m" for metric depth, "" for the other kinds, which have none."""
        return MEANINGS[self.kind].unit

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Return version 3 of the interface. It names no stream, because the values are complete.

        Raises:
            InputError: The depth was freed.
        """
        self._check_open()
        return {
            "shape": self.shape,
            "typestr": "<f4",
            "data": (self._memory.address, False),
            "strides": None,
            "stream": None,
            "version": 3,
        }

    def to_host(self) -> Depth:
        """Copy the depth to the host; blocks. If another library wrote to it, that work must be done before.

        Raises:
            InputError: The depth was freed.
            BackendUnavailable: The GPU is lost.
        """
        self._check_open()
        values = np.empty(self.shape, np.float32)
        with Stream(self._memory.gpu) as stream:
            stream.download(values, self._memory.address)
            stream.synchronize()
        return Depth(values, self.kind, valid_pixels(values, self.kind), self.provenance, self.max_depth_m)

    def close(self) -> None:
        """Free the memory; safe to call twice."""
        self._memory.close()

    def __repr__(self) -> str:
        place = "closed" if self._memory.closed else f"on {self.provenance.provider}"
        return f"<DeviceDepth {self.shape[0]}x{self.shape[1]} {self.kind}, {place}>"

    def __del__(self) -> None:
        with suppress(Exception):  # at the end of the interpreter modules may be gone
            self.close()

    def _check_open(self) -> None:
        if self._memory.closed:
            raise InputError("this depth was freed, by its close() or its model's; infer again, or keep to_host()")
