"""Memory, streams, events and graphs on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.kernels import Launch
from .graph import NO_HOST_MEMORY, Recording
from .held import Held, Owner

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: does not wait for the default stream, which torch may keep busy


class DeviceMemory(Held):
    """Memory on the GPU: `n_bytes` bytes at `address`."""

    def __init__(self, gpu: Owner, n_bytes: int) -> None:
        super().__init__(gpu, lambda: gpu.pycuda.mem_alloc(n_bytes))
        self.address = int(self._held)
        self.n_bytes = n_bytes

    def _free(self) -> None:
        self._held.free()


class PinnedMemory(Held):
    """Page-locked memory on the host, which the GPU copies from and to while the CPU works: `array` (n,) uint8.

    Views of the array must not be used after close().
    """

    def __init__(self, gpu: Owner, n_bytes: int) -> None:
        super().__init__(gpu, lambda: gpu.pycuda.pagelocked_empty(n_bytes, np.uint8))
        self.array: NDArray[np.uint8] = self._held
        self.n_bytes = n_bytes

    @property
    def place(self) -> tuple[int, int]:
        """Return (address, bytes)."""
        return self.array.ctypes.data, self.n_bytes

    def _free(self) -> None:
        memory = self._held.base
        self.array = np.empty(0, np.uint8)
        memory.free()


class Stream(Held):
    """A CUDA stream: its work runs in order, beside the work of other streams.

    `order` is held by a thread that puts work on the stream which no other thread's work may come between: a recording
    takes everything that is put on its stream.
    """

    def __init__(self, gpu: Owner) -> None:
        self.order = RLock()
        super().__init__(gpu, lambda: gpu.pycuda.Stream(_NON_BLOCKING))

    @property
    def handle(self) -> int:
        """Return the CUstream as the number that TensorRT and ONNX Runtime take."""
        return int(self._held.handle)

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Copy a contiguous array to the GPU; returns at once if the array is pinned."""
        with self._gpu.current():
            self._gpu.pycuda.memcpy_htod_async(address, array, self._held)

    def download(self, array: NDArray[Any], address: int) -> None:
        """Copy from the GPU into a contiguous array; returns at once if the array is pinned."""
        with self._gpu.current():
            self._gpu.pycuda.memcpy_dtoh_async(array, address, self._held)

    def blank(self, address: int, n_bytes: int) -> None:
        """Set every bit of memory on the GPU, which makes every float32 NaN."""
        with self._gpu.current():
            self._gpu.pycuda.memset_d8_async(address, 0xFF, n_bytes, self._held)

    def launch(self, launch: Launch) -> None:
        """Start one of depthrt's kernels; returns at once."""
        with self._gpu.current():
            function = self._gpu.kernels[launch.kernel]
            function.prepared_async_call(launch.grid, launch.block, self._held, *launch.arguments)

    def record(self, work: Callable[[], None], *, host: PinnedMemory | None = None) -> Graph:
        """Return a graph of the work that `work` puts on this stream; the work does not run.

        Args:
            host: The only memory of the host that the work may copy from or to.
        """
        return Graph(self._gpu, self, work, host)

    def synchronize(self) -> None:
        """Block until all work on the stream is done."""
        with self._gpu.current():
            self._held.synchronize()


class Event(Held):
    """A mark on a stream: the host can wait for it and measure the time between two."""

    def __init__(self, gpu: Owner) -> None:
        super().__init__(gpu, gpu.pycuda.Event)

    def mark(self, stream: Stream) -> None:
        """Put the mark behind the work that is on the stream now."""
        with self._gpu.current():
            self._held.record(stream._held)

    @property
    def passed(self) -> bool:
        """Whether the GPU has passed the mark; does not block."""
        with self._gpu.current():
            return bool(self._held.query())

    def synchronize(self) -> None:
        """Block until the GPU has passed the mark."""
        with self._gpu.current():
            self._held.synchronize()

    def ms_since(self, earlier: Event) -> float:
        """Return the time between an earlier mark and this one, ms; the GPU must have passed both."""
        with self._gpu.current():
            return float(self._held.time_since(earlier._held))


class Graph(Held):
    """Recorded work that one call starts; the memory that it uses must not be freed before it."""

    def __init__(self, gpu: Owner, stream: Stream, work: Callable[[], None], host: PinnedMemory | None) -> None:
        super().__init__(gpu, lambda: Recording(stream.handle, work, host.place if host else NO_HOST_MEMORY))

    def launch(self, stream: Stream) -> None:
        """Start the recorded work; returns at once."""
        with self._gpu.current():
            self._held.launch(stream.handle)

    def _free(self) -> None:
        self._held.destroy()
