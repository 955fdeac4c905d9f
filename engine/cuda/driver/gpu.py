"""A GPU through pycuda: its primary context, which torch and ONNX Runtime use too, and our kernels on it.

Everything works from any thread: each call makes the context current for its own duration. What CUDA refuses
becomes a BackendUnavailable that says what happened to which GPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

from ...errors import BackendUnavailable
from ...system.closable import Closable
from ..kernels.kernels import ARGUMENTS, FATBIN
from .calls import CallRefused, pop_context
from .driver import find_gpu
from .held import Held, never_destroy

OLDEST = (7, 5)  # compute capability; kernels.fatbin has nothing older


class Cuda(Closable):
    """One GPU: makes memory, streams and events, and holds our kernels. Safe from several threads.

    Args:
        index: Number of the GPU among those that the driver shows.

    Raises:
        BackendUnavailable: No driver, no such GPU, one that is too old, or no pycuda.
    """

    def __init__(self, index: int = 0) -> None:
        found = find_gpu(index)
        self.index = index
        self.name, self.compute_capability = found.name, found.compute_capability
        if tuple(map(int, found.compute_capability.split("."))) < OLDEST:
            raise BackendUnavailable(
                f"{self.name} has compute capability {self.compute_capability}, depthrt's kernels need "
                f"{OLDEST[0]}.{OLDEST[1]} or newer; use device='cpu'"
            )
        self.pycuda = import_pycuda()
        self.held: dict[Held, None] = {}  # in the order they were made
        self.kernels: dict[str, Any] = {}
        self.lost = ""  # why nothing can be done with the GPU any more
        self._context: Any = None
        self._module: Any = None
        try:
            self.pycuda.init()
            self._context = self.pycuda.Device(index).retain_primary_context()
        except self.pycuda.Error as error:
            raise self._explain(error) from error
        _OPEN.add(self)
        try:
            with self.current():
                self._load_kernels()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the GPU's context current in this thread for the block; may be nested.

        Raises:
            BackendUnavailable: CUDA refused something inside the block, or the GPU cannot be used any more.
        """
        self._refuse_unusable()
        try:
            self._context.push()
            try:
                yield
            finally:
                self._context.pop()
        except (self.pycuda.Error, CallRefused) as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Free everything that was made here and give the context back; safe to call twice."""
        if self._context is None:
            return
        if self.lost:
            self.abandon()
            return
        for one in reversed(list(self.held)):
            one.close()
        if self.lost:  # found out just now
            self.abandon()
            return
        self._context.push()
        self.kernels.clear()
        self._module = None
        pop_context()  # pycuda's detach forgets the push, but leaves it in the driver
        self._context.detach()
        self._context = None

    def abandon(self, reason: str = "") -> None:
        """Forget everything without freeing, after a lost GPU and in a forked child."""
        self.lost = self.lost or reason
        for one in list(self.held):
            one.abandon()
        self.held.clear()
        never_destroy(self.kernels, self._module, self._context)
        self._context = None

    def __repr__(self) -> str:
        return f"<Cuda {self.name}, compute capability {self.compute_capability}>"

    def __del__(self) -> None:
        # Without this pycuda frees in whichever thread drops the last reference, and cannot in another one.
        with suppress(Exception):
            self.close()

    def _load_kernels(self) -> None:
        try:
            # Held by name, because the garbage collector may drop what a function holds before __del__ is called.
            self._module = self.pycuda.module_from_buffer(FATBIN.read_bytes())
        except (self.pycuda.LogicError, self.pycuda.RuntimeError) as error:
            raise BackendUnavailable(
                f"{self.name}, compute capability {self.compute_capability}, cannot load depthrt's kernels "
                f"({_one_line(error)}); update the NVIDIA driver, or use device='cpu'"
            ) from error
        for name, arguments in ARGUMENTS.items():
            self.kernels[name] = self._module.get_function(name)
            self.kernels[name].prepare(arguments)

    def _refuse_unusable(self) -> None:
        if self.lost:
            raise BackendUnavailable(self.lost)
        if self._context is None:
            raise BackendUnavailable(f"{self.name} was closed here; load the model again")

    def _explain(self, error: Exception) -> BackendUnavailable:
        """Turn an error of pycuda into what a user can act on, and find out whether the GPU is lost."""
        reason = _one_line(error)
        if isinstance(error, self.pycuda.MemoryError):
            return BackendUnavailable(
                f"{self.name} has not enough free memory ({reason}); close what else uses it "
                "(nvidia-smi lists it), run fewer or smaller images at once, or use device='cpu'"
            )
        if self._context is not None and not self._answers():
            self.lost = (
                f"{self.name} was lost ({reason}): every CUDA call of this process fails from now on; "
                "start the process again, and look for Xid in dmesg"
            )
            return BackendUnavailable(self.lost)
        return BackendUnavailable(f"{self.name} refuses a CUDA call ({reason}); see `depthrt doctor`")

    def _answers(self) -> bool:
        """Return whether the context still works; a fault stays in it and comes with every later call."""
        with suppress(self.pycuda.Error):
            self._context.push()
            try:
                self.pycuda.mem_get_info()  # waits for nothing, and no recording of another thread minds it
            finally:
                self._context.pop()
            return True
        return False


def import_pycuda() -> Any:  # noqa: ANN401 (pycuda has no types)
    """Import pycuda's driver module or name the extra that brings it."""
    try:
        import pycuda.driver
    except ImportError as error:
        raise BackendUnavailable(
            f"pycuda cannot be imported ({error}); install it with: pip install 'depthrt[gpu]'; "
            "pip builds it with the CUDA toolkit's nvcc"
        ) from error
    return pycuda.driver


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


_OPEN: WeakSet[Cuda] = WeakSet()


def _after_fork() -> None:
    for gpu in list(_OPEN):
        gpu.abandon(
            f"{gpu.name} was opened before this process was forked, and CUDA does not survive a fork; "
            "start processes with the 'spawn' method, or load models in the children alone"
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
