"""What lives on a GPU and has to be freed: memory, streams, events and graphs, each with the calls it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.kernels import Launch
from .graph import Recording
from .held import Held, Owner

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: never waits for the default stream, which torch may keep busy


class DeviceMemory(Held):
    """Bytes on the GPU, at `address`."""

    def __init__(self, gpu: Owner, n_bytes: int) -> None:
        super().__init__(gpu, lambda: gpu.pycuda.mem_alloc(n_bytes))
        self.address = int(self._held)
        self.n_bytes = n_bytes

    def _free(self) -> None:
        self._held.free()


class PinnedMemory(Held):
    """Bytes on the host that the GPU reads and writes while the CPU does something else: `array` (n,) uint8.

    Views of the array must not be used after close().
    """

    def __init__(self, gpu: Owner, n_bytes: int) -> None:
        super().__init__(gpu, lambda: gpu.pycuda.pagelocked_empty(n_bytes, np.uint8))
        self.array: NDArray[np.uint8] = self._held
        self.n_bytes = n_bytes

    def _free(self) -> None:
        memory = self._held.base
        self.array = np.empty(0, np.uint8)
        memory.free()


class Stream(Held):
    """Work that the GPU does in order, beside other streams."""

    def __init__(self, gpu: Owner) -> None:
        super().__init__(gpu, lambda: gpu.pycuda.Stream(_NON_BLOCKING))

    @property
    def handle(self) -> int:
        """Return the CUstream, as TensorRT and ONNX Runtime take it."""
        return int(self._held.handle)

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Copy a contiguous array to the GPU; returns at once where the array is pinned."""
        with self._gpu.current():
            self._gpu.pycuda.memcpy_htod_async(address, array, self._held)

    def download(self, array: NDArray[Any], address: int) -> None:
        """Copy from the GPU into a contiguous array; returns at once where the array is pinned."""
        with self._gpu.current():
            self._gpu.pycuda.memcpy_dtoh_async(array, address, self._held)

    def blank(self, address: int, n_bytes: int) -> None:
        """Fill memory on the GPU with ones, NaN as float32."""
        with self._gpu.current():
            self._gpu.pycuda.memset_d8_async(address, 0xFF, n_bytes, self._held)

    def launch(self, launch: Launch) -> None:
        """Start one of our kernels; returns at once."""
        with self._gpu.current():
            function = self._gpu.kernels[launch.kernel]
            function.prepared_async_call(launch.grid, launch.block, self._held, *launch.arguments)

    def record(self, work: Callable[[], None]) -> Graph:
        """Record what `work` puts on this stream, without running it."""
        return Graph(self._gpu, self, work)

    def synchronize(self) -> None:
        """Block until everything on the stream is done."""
        with self._gpu.current():
            self._held.synchronize()


class Event(Held):
    """A mark on a stream that can be waited for and timed."""

    def __init__(self, gpu: Owner) -> None:
        super().__init__(gpu, gpu.pycuda.Event)

    def mark(self, stream: Stream) -> None:
        """Put the mark behind what is on the stream now."""
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
        """Return the time between two marks that the GPU has passed."""
        with self._gpu.current():
            return float(self._held.time_since(earlier._held))


class Graph(Held):
    """Recorded work that one call starts; the memory it names must stay."""

    def __init__(self, gpu: Owner, stream: Stream, work: Callable[[], None]) -> None:
        super().__init__(gpu, lambda: Recording(stream.handle, work))

    def launch(self, stream: Stream) -> None:
        """Start the recorded work; returns at once."""
        with self._gpu.current():
            self._held.launch(stream.handle)

    def _free(self) -> None:
        self._held.destroy()
