"""Base class of everything that is made in a CUDA context and must be freed in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...errors import BackendUnavailable
from ...system.closable import Closable, never_destroy


class Owner(Protocol):
    """The GPU that a `Held` is made on; `Cuda` implements it.

    Args:
        held: Everything made on it and not freed yet, oldest first.
        lost: Why the GPU no longer works; "" while it does.
        pycuda: The module pycuda.driver.
        kernels: depthrt's kernels by name, as functions of pycuda.
    """

    held: dict[Held, None]
    lost: str
    pycuda: Any
    kernels: dict[str, Any]

    def current(self) -> AbstractContextManager[None]:
        """Make the GPU's context current in this thread for the block."""


class Held(Closable):
    """An object on a GPU. Its close() frees it, else the GPU's close() does. A context manager.

    Args:
        gpu: The GPU to make it on.
        make: Returns pycuda's object, or a handle; called with the GPU's context current.
    """

    def __init__(self, gpu: Owner, make: Callable[[], Any]) -> None:
        self._gpu = gpu
        with gpu.current():
            self._held: Any = make()
        gpu.held[self] = None

    @property
    def closed(self) -> bool:
        """Whether the object was freed."""
        return self._held is None

    @property
    def gpu(self) -> Owner:
        """Return the GPU that it is on."""
        return self._gpu

    def close(self) -> None:
        """Free the object; safe to call twice."""
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
        """Forget the object without freeing it, because the driver already did or no longer can."""
        never_destroy(self._held)  # pycuda's destructors abort the process if CUDA returns an error
        self._held = None

    def _free(self) -> None:
        """Free what is not freed by dropping the last reference to pycuda's object."""
