"""A GPU through pycuda: its primary context, which torch and ONNX Runtime also use, and depthrt's kernels.

Every call works from any thread, because it makes the context current while it runs. An error of CUDA becomes a
BackendUnavailable that names the GPU and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...errors import BackendUnavailable
from ...system.closable import Closable, never_destroy, tell_of_forks
from ..kernels.kernels import ARGUMENTS, FATBIN
from .calls import CallRefused, pop_context
from .driver import find_gpu
from .held import Held

OLDEST = (7, 5)  # lowest compute capability in kernels.fatbin


class Cuda(Closable):
    """An open GPU with depthrt's kernels; memory, streams, events and graphs are made on it. Safe from several threads.

    Args:
        index: The driver's number of the GPU, from 0.

    Raises:
        BackendUnavailable: The driver, the GPU or pycuda is missing, or the GPU is too old.
    """

    def __init__(self, index: int = 0) -> None:
        gpu = find_gpu(index)
        self.index = index
        self.name, self.compute_capability = gpu.name, gpu.compute_capability
        if tuple(map(int, gpu.compute_capability.split("."))) < OLDEST:
            raise BackendUnavailable(
                f"{self.name} has compute capability {self.compute_capability}, depthrt's kernels need "
                f"{OLDEST[0]}.{OLDEST[1]} or newer; use device='cpu'"
            )
        self.pycuda = import_pycuda()
        self.held: dict[Held, None] = {}  # everything made on it and not freed yet, oldest first
        self.kernels: dict[str, Any] = {}
        self.lost = ""  # why the GPU no longer works; "" while it does
        self._context: Any = None
        self._module: Any = None
        try:
            self.pycuda.init()
            self._context = self.pycuda.Device(index).retain_primary_context()
        except self.pycuda.Error as error:
            raise self._explain(error) from error
        tell_of_forks(self)
        try:
            with self.current():
                self._load_kernels()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the GPU's context current in this thread for the block; blocks may be nested.

        Raises:
            BackendUnavailable: A call of CUDA failed inside the block, or the GPU is closed or lost.
        """
        self.check_not_lost()
        if self._context is None:
            raise BackendUnavailable(f"{self.name} was closed; load the model again")
        try:
            self._context.push()
            try:
                yield
            finally:
                self._context.pop()
        except (self.pycuda.Error, CallRefused) as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Free everything that was made on the GPU and release the context; safe to call twice."""
        if self._context is None:
            return
        if self.lost:
            self.abandon()
            return
        for held in reversed(list(self.held)):
            held.close()
        if self.lost:  # since one of these calls
            self.abandon()
            return
        self._context.push()
        self.kernels.clear()
        self._module = None
        pop_context()  # pycuda's detach() forgets the push, but leaves it on the driver's stack
        self._context.detach()
        self._context = None

    def abandon(self, reason: str = "") -> None:
        """Forget everything without freeing it, because the GPU was lost or this process was forked.

        Args:
            reason: Why, for the errors of later calls; "" if `lost` has it already.
        """
        self.lost = self.lost or reason
        for held in list(self.held):
            held.abandon()
        self.held.clear()
        never_destroy(self.kernels, self._module, self._context)
        self._context = None

    def after_fork(self) -> None:
        """Forget everything: the child has no CUDA."""
        self.abandon(
            f"{self.name} was opened before this process was forked, and CUDA does not survive a fork; "
            "start processes with the 'spawn' method, or load models only in the child processes"
        )

    def check_not_lost(self) -> None:
        """Raise BackendUnavailable if the GPU is lost. To be called before a lock that a fork may have left held."""
        if self.lost:
            raise BackendUnavailable(self.lost)

    def __repr__(self) -> str:
        return f"<Cuda {self.name}, compute capability {self.compute_capability}>"

    def __del__(self) -> None:
        # Otherwise pycuda frees in the thread that drops the last reference, where the context may not be current.
        with suppress(Exception):
            self.close()

    def _load_kernels(self) -> None:
        try:
            # Kept here, because the garbage collector may drop a function's reference to it before __del__ is called.
            self._module = self.pycuda.module_from_buffer(FATBIN.read_bytes())
        except (self.pycuda.LogicError, self.pycuda.RuntimeError) as error:
            raise BackendUnavailable(
                f"{self.name}, compute capability {self.compute_capability}, cannot load depthrt's kernels "
                f"({_one_line(error)}); update the NVIDIA driver, or use device='cpu'"
            ) from error
        for name, arguments in ARGUMENTS.items():
            self.kernels[name] = self._module.get_function(name)
            self.kernels[name].prepare(arguments)

    def _explain(self, error: Exception) -> BackendUnavailable:
        """Return an error of CUDA as an error that says what to do; if the GPU is lost, set `lost`."""
        reason = _one_line(error)
        if isinstance(error, self.pycuda.MemoryError):
            return BackendUnavailable(
                f"{self.name} has not enough free memory ({reason}); close what else uses it "
                "(nvidia-smi lists it), run fewer or smaller images at once, or use device='cpu'"
            )
        if self._context is not None and not self._works():
            self.lost = (
                f"{self.name} was lost ({reason}): every CUDA call of this process fails from now on; "
                "start the process again, and look for Xid in the output of dmesg"
            )
            return BackendUnavailable(self.lost)
        return BackendUnavailable(f"{self.name} refuses a CUDA call ({reason}); run `depthrt doctor`")

    def _works(self) -> bool:
        """Return whether the context still works; after a fault every call in it fails."""
        with suppress(self.pycuda.Error):
            self._context.push()
            try:
                self.pycuda.mem_get_info()  # does not block, and is allowed while another thread records a graph
            finally:
                self._context.pop()
            return True
        return False


def import_pycuda() -> Any:  # noqa: ANN401 (pycuda has no types)
    """Import pycuda's driver module, or raise an error that names the extra to install."""
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
