"""CUDA graphs: work recorded once and started by one call. pycuda has none, so they are called by ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from ..errors import BackendUnavailable
from .driver import DRIVERS

# CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: other threads may allocate memory meanwhile
_THREAD_LOCAL = 1
_Handle = ctypes.c_void_p
# Source: CUDA driver API, sections Stream Management, Graph Management and Context Management
_ARGUMENTS = {
    "cuStreamBeginCapture_v2": (_Handle, ctypes.c_int),
    "cuStreamEndCapture": (_Handle, ctypes.POINTER(_Handle)),
    "cuGraphInstantiateWithFlags": (ctypes.POINTER(_Handle), _Handle, ctypes.c_ulonglong),
    "cuGraphLaunch": (_Handle, _Handle),
    "cuGraphExecDestroy": (_Handle,),
    "cuGraphDestroy": (_Handle,),
    "cuCtxPopCurrent_v2": (ctypes.POINTER(_Handle),),
    "cuGetErrorString": (ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)),
}


class CallRefused(Exception):
    """A call of the driver answered an error; gpu.py turns it into what a user can act on."""


class Recording:
    """A recorded piece of one stream's work. The context must be current in every call.

    Args:
        stream: Handle of the stream that `work` uses; nothing of it runs.

    Raises:
        CallRefused: Something in `work` cannot be recorded.
    """

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        template, self._runnable = _Handle(), _Handle()
        _call("cuStreamBeginCapture_v2", stream, _THREAD_LOCAL)
        try:
            work()
        except BaseException:
            _driver().cuStreamEndCapture(stream, ctypes.byref(template))  # its own error is a consequence
            if template:
                _driver().cuGraphDestroy(template)
            raise
        _call("cuStreamEndCapture", stream, ctypes.byref(template))
        try:
            _call("cuGraphInstantiateWithFlags", ctypes.byref(self._runnable), template, 0)
        finally:
            _driver().cuGraphDestroy(template)

    def launch(self, stream: int) -> None:
        """Start the recorded work on a stream."""
        _call("cuGraphLaunch", self._runnable, stream)

    def destroy(self) -> None:
        """Free the recording."""
        _call("cuGraphExecDestroy", self._runnable)


def pop_context() -> None:
    """Take the current context off this thread's stack in the driver."""
    _call("cuCtxPopCurrent_v2", ctypes.byref(_Handle()))


def _call(name: str, *arguments: object) -> None:
    status = getattr(_driver(), name)(*arguments)
    if status != 0:
        text = ctypes.c_char_p()
        _driver().cuGetErrorString(status, ctypes.byref(text))
        reason = (text.value or b"no text for it").decode(errors="replace")
        raise CallRefused(f"{name} failed: {reason}, error {status}")


@cache
def _driver() -> ctypes.CDLL:
    for name in DRIVERS:
        try:
            driver = ctypes.CDLL(name)
        except OSError:
            continue
        for function, arguments in _ARGUMENTS.items():
            getattr(driver, function).argtypes = arguments
        return driver
    raise BackendUnavailable("no NVIDIA driver is on this machine; it needs an NVIDIA GPU and its driver")
