"""CUDA graphs: work recorded once and started by one call. pycuda has none, so they are called by ctypes."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from .calls import Handle, answer_of, call

# CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate memory meanwhile
_THREAD_LOCAL = 1


class Recording:
    """A recorded piece of one stream's work. The context must be current in every call.

    Args:
        stream: Handle of the stream that `work` uses; nothing of it runs.

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
                answer_of("cuStreamEndCapture", stream, ctypes.byref(template))  # its own error is a consequence
                if template:
                    answer_of("cuGraphDestroy", template)
                raise
            call("cuStreamEndCapture", stream, ctypes.byref(template))
        try:
            call("cuGraphInstantiateWithFlags", ctypes.byref(self._runnable), template, 0)
        finally:
            answer_of("cuGraphDestroy", template)

    def launch(self, stream: int) -> None:
        """Start the recorded work on a stream."""
        call("cuGraphLaunch", self._runnable, stream)

    def destroy(self) -> None:
        """Free the recording."""
        call("cuGraphExecDestroy", self._runnable)


_pausing = Lock()
_paused: list[bool] = []  # of each recording under way: whether the collector was on before


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python's garbage collector, which may free memory on the GPU, from running in the block.

    CUDA refuses to free memory in a thread that records, and ends the recording.
    """
    with _pausing:
        _paused.append(gc.isenabled() or any(_paused))
        gc.disable()
    try:
        yield
    finally:
        with _pausing:
            was_on = _paused.pop()
            if was_on and not _paused:
                gc.enable()
