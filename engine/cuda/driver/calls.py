"""The driver's calls that pycuda does not have, by ctypes and checked."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from ...errors import BackendUnavailable
from .driver import DRIVERS

Handle = ctypes.c_void_p
# Source: CUDA driver API, sections Stream, Event, Graph and Context Management, and Unified Addressing
_ARGUMENTS = {
    "cuStreamBeginCapture_v2": (Handle, ctypes.c_int),
    "cuStreamEndCapture": (Handle, ctypes.POINTER(Handle)),
    "cuStreamWaitEvent": (Handle, Handle, ctypes.c_uint),
    "cuEventCreate": (ctypes.POINTER(Handle), ctypes.c_uint),
    "cuEventRecord": (Handle, Handle),
    "cuEventDestroy_v2": (Handle,),
    "cuGraphInstantiateWithFlags": (ctypes.POINTER(Handle), Handle, ctypes.c_ulonglong),
    "cuGraphLaunch": (Handle, Handle),
    "cuGraphExecDestroy": (Handle,),
    "cuGraphDestroy": (Handle,),
    "cuCtxPopCurrent_v2": (ctypes.POINTER(Handle),),
    "cuPointerGetAttribute": (ctypes.c_void_p, ctypes.c_int, ctypes.c_ulonglong),
    "cuGetErrorString": (ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)),
}


class CallRefused(Exception):
    """A call of the driver answered an error; gpu.py turns it into what a user can act on."""


def call(name: str, *arguments: object) -> None:
    """Call the driver.

    Raises:
        CallRefused: It answers an error.
    """
    status = answer_of(name, *arguments)
    if status != 0:
        text = ctypes.c_char_p()
        answer_of("cuGetErrorString", status, ctypes.byref(text))
        reason = (text.value or b"no text for it").decode(errors="replace")
        raise CallRefused(f"{name} failed: {reason}, error {status}")


def answer_of(name: str, *arguments: object) -> int:
    """Call the driver and return what it answers; 0 is no error."""
    return _function(name)(*arguments)


def pop_context() -> None:
    """Take the current context off this thread's stack in the driver."""
    call("cuCtxPopCurrent_v2", ctypes.byref(Handle()))


@cache
def _function(name: str) -> Callable[..., int]:
    for library in DRIVERS:
        try:
            function = getattr(ctypes.CDLL(library), name)
        except OSError:
            continue
        function.argtypes = _ARGUMENTS[name]
        return function  # type: ignore[no-any-return]
    raise BackendUnavailable("no NVIDIA driver is on this machine; it needs an NVIDIA GPU and its driver")
