"""CUDA graphs: work recorded once and started by one call. pycuda has none, so they are called by ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

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
