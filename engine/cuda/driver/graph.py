"""CUDA graphs through ctypes, because pycuda has none: work that is recorded once and started by one call."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from ...errors import BackendUnavailable
from .calls import Handle, call, status_of

# CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate memory during the recording.
_THREAD_LOCAL = 1
# Source: CUDA driver API, CUgraphNodeType, CUmemorytype and CUpointer_attribute
_MEMCPY_NODE, _HOST_NODE = 1, 3
_HOST_MEMORY, _DEVICE_MEMORY = 1, 2
_MEMORY_TYPE = 2

HostRange = tuple[int, int]  # (address, bytes)
NO_HOST_MEMORY: HostRange = (0, 0)


class _Memcpy3D(ctypes.Structure):
    """CUDA_MEMCPY3D_v2 of the driver API."""

    _fields_ = tuple(
        (f"{end}_{name}", kind)
        for end in ("from", "to")
        for name, kind in (
            *((name, ctypes.c_size_t) for name in ("x", "y", "z", "lod")),
            ("memory_type", ctypes.c_int),
            *((name, ctypes.c_size_t) for name in ("host", "device", "array", "reserved", "pitch", "height")),
        )
    ) + tuple((name, ctypes.c_size_t) for name in ("width", "height", "depth"))

    def ends(self) -> tuple[int, int]:
        """Return the addresses that it copies from and to."""
        from_host, to_host = (kind == _HOST_MEMORY for kind in (self.from_memory_type, self.to_memory_type))
        return self.from_host if from_host else self.from_device, self.to_host if to_host else self.to_device


class Recording:
    """Recorded work of one stream. The GPU's context must be current in every call.

    Args:
        stream: Handle (CUstream) of the stream that `work` uses.
        work: Called once, now. What it puts on the stream is recorded and does not run.
        host: The only memory of the host that the work may copy from or to.

    Raises:
        CallRefused: Something in `work` cannot be recorded.
        BackendUnavailable: Something in it must not run twice.
    """

    def __init__(self, stream: int, work: Callable[[], None], host: HostRange = NO_HOST_MEMORY) -> None:
        template, self._runnable = Handle(), Handle()
        with _no_collection():
            call("cuStreamBeginCapture_v2", stream, _THREAD_LOCAL)
            try:
                work()
            except BaseException:
                status_of("cuStreamEndCapture", stream, ctypes.byref(template))  # its error follows from the first
                if template:
                    status_of("cuGraphDestroy", template)
                raise
            call("cuStreamEndCapture", stream, ctypes.byref(template))
        try:
            _check_repeatable(template, host)
            call("cuGraphInstantiateWithFlags", ctypes.byref(self._runnable), template, 0)
        finally:
            status_of("cuGraphDestroy", template)

    def launch(self, stream: int) -> None:
        """Start the recorded work on a stream; returns at once."""
        call("cuGraphLaunch", self._runnable, stream)

    def destroy(self) -> None:
        """Free the recording."""
        call("cuGraphExecDestroy", self._runnable)


def is_recording(stream: int) -> bool:
    """Return whether the work of a stream (CUstream) is recorded now, also if an error has ended the recording."""
    status = ctypes.c_int()
    call("cuStreamIsCapturing", stream, ctypes.byref(status))
    return status.value != 0


def _check_repeatable(graph: Handle, host: HostRange) -> None:
    """Refuse work that a library made for one run: functions on the host, and copies of host memory that it may free.

    ONNX Runtime's CUDA provider puts both on the stream where it computes shapes on the CPU; run twice, it would free
    the same memory twice.
    """
    for node in _nodes(graph):
        kind = ctypes.c_int()
        call("cuGraphNodeGetType", node, ctypes.byref(kind))
        if kind.value == _HOST_NODE:
            raise BackendUnavailable("it runs a function on the host, which may be for one run only")
        if kind.value == _MEMCPY_NODE:
            copy = _Memcpy3D()
            call("cuGraphMemcpyNodeGetParams", node, ctypes.byref(copy))
            if any(not _is_on_gpu(end) and not host[0] <= end < host[0] + host[1] for end in copy.ends()):
                raise BackendUnavailable("it copies memory of the host that may be gone in the next run")


def _nodes(graph: Handle) -> list[Handle]:
    count = ctypes.c_size_t()
    call("cuGraphGetNodes", graph, None, ctypes.byref(count))
    nodes = (Handle * count.value)()
    call("cuGraphGetNodes", graph, nodes, ctypes.byref(count))
    return [Handle(node) for node in nodes[: count.value]]


def _is_on_gpu(address: int) -> bool:
    """Return whether memory is the GPU's own; the driver also knows pinned memory of the host."""
    kind = ctypes.c_int()
    known = status_of("cuPointerGetAttribute", ctypes.byref(kind), _MEMORY_TYPE, address) == 0
    return known and kind.value == _DEVICE_MEMORY


_pause_lock = Lock()
_paused: list[bool] = []  # for each recording under way: whether the collector was on when it began


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause Python's garbage collector in the block, because it may free memory on the GPU.

    CUDA refuses to free memory in a thread that records, and the refused call ends the recording.
    """
    with _pause_lock:
        _paused.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _pause_lock:
            was_on = _paused.pop()  # the last pop returns the state before the first recording
            if was_on and not _paused:
                gc.enable()
