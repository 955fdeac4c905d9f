"""CUDA graphs through ctypes, because pycuda has none: work that is recorded once and started by one call."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from .calls import Handle, call, status_of

# CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate memory during the recording.
_THREAD_LOCAL = 1


class Recording:
    """Recorded work of one stream. The GPU's context must be current in every call.

    Args:
        stream: Handle (CUstream) of the stream that `work` uses.
        work: Called once, now. What it puts on the stream is recorded and does not run.

    Raises:
        CallRefused: Something in `work` cannot be recorded.
    """

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
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
            call("cuGraphInstantiateWithFlags", ctypes.byref(self._runnable), template, 0)
        finally:
            status_of("cuGraphDestroy", template)

    def launch(self, stream: int) -> None:
        """Start the recorded work on a stream; returns at once."""
        call("cuGraphLaunch", self._runnable, stream)

    def destroy(self) -> None:
        """Free the recording."""
        call("cuGraphExecDestroy", self._runnable)


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
