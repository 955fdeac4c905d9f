"""What holds something of a CUDA context and frees it there."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...errors import BackendUnavailable
from ...system.closable import Closable


class Owner(Protocol):
    """A GPU, as what it holds knows it; `Cuda` is one.

    Args:
        held: What was made on it, in order.
        lost: Why nothing can be done with it any more; "" while it works.
        pycuda: The driver module.
        kernels: Ours, by name.
    """

    held: dict[Held, None]
    lost: str
    pycuda: Any
    kernels: dict[str, Any]

    def current(self) -> AbstractContextManager[None]:
        """Make its context current in this thread for the block."""


class Held(Closable):
    """Something on a GPU that close() frees, once; the GPU's close() frees what is left. A context manager."""

    def __init__(self, gpu: Owner, make: Callable[[], Any]) -> None:
        self._gpu = gpu
        with gpu.current():
            self._held: Any = make()
        gpu.held[self] = None

    @property
    def closed(self) -> bool:
        """Whether it was freed."""
        return self._held is None

    @property
    def gpu(self) -> Owner:
        """Return what it lives on."""
        return self._gpu

    def close(self) -> None:
        """Free it; it cannot be used afterwards."""
        if self._held is None:
            return
        self._gpu.held.pop(self, None)
        if self._gpu.lost:
            self.abandon()
            return
        try:
            with self._gpu.current():
                self._free()
                self._held = None  # pycuda frees streams and events here, so the context has to be current
        except BackendUnavailable:
            self.abandon()

    def abandon(self) -> None:
        """Forget it without freeing: the driver has done that or no longer can."""
        never_destroy(self._held)
        self._held = None

    def _free(self) -> None:
        """Free what dropping the last reference does not."""


def never_destroy(*objects: object) -> None:
    """Keep objects for the life of the process: pycuda's destructors abort it where CUDA answers errors."""
    for one in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
