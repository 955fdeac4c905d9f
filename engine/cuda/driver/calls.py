"""Functions of the CUDA driver that pycuda lacks, called through ctypes, with their status checked."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

from .driver import load_driver

Handle = ctypes.c_void_p
# Source: CUDA driver API, sections Stream, Event, Graph and Context Management, and Unified Addressing
_ARGUMENTS = {
    "cuStreamBeginCapture_v2": (Handle, ctypes.c_int),
    "cuStreamEndCapture": (Handle, ctypes.POINTER(Handle)),
    "cuStreamWaitEvent": (Handle, Handle, ctypes.c_uint),
    "cuEventCreate": (ctypes.POINTER(Handle), ctypes.c_uint),
    "cuEventRecord": (Handle, Handle),
    "cuEventDestroy_v2": (Handle,),
    "cuStreamIsCapturing": (Handle, ctypes.POINTER(ctypes.c_int)),
    "cuGraphGetNodes": (Handle, ctypes.POINTER(Handle), ctypes.POINTER(ctypes.c_size_t)),
    "cuGraphNodeGetType": (Handle, ctypes.POINTER(ctypes.c_int)),
    "cuGraphMemcpyNodeGetParams": (Handle, ctypes.c_void_p),
    "cuGraphInstantiateWithFlags": (ctypes.POINTER(Handle), Handle, ctypes.c_ulonglong),
    "cuGraphLaunch": (Handle, Handle),
    "cuGraphExecDestroy": (Handle,),
    "cuGraphDestroy": (Handle,),
    "cuCtxPopCurrent_v2": (ctypes.POINTER(Handle),),
    "cuPointerGetAttribute": (ctypes.c_void_p, ctypes.c_int, ctypes.c_ulonglong),
    "cuGetErrorString": (ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)),
}


class CallRefused(Exception):
    """A call on the GPU failed. `Cuda.current` turns it into a BackendUnavailable that says what to do."""


def call(name: str, *arguments: object) -> None:
    """Call a function of the driver.

    Raises:
        CallRefused: It returns an error.
    """
    status = status_of(name, *arguments)
    if status != 0:
        text = ctypes.c_char_p()
        status_of("cuGetErrorString", status, ctypes.byref(text))
        reason = (text.value or b"an unknown error").decode(errors="replace")
        raise CallRefused(f"{name} failed: {reason}, error {status}")


def status_of(name: str, *arguments: object) -> int:
    """Call a function of the driver and return its status (CUresult); 0 is success."""
    return _function(name)(*arguments)


def pop_context() -> None:
    """Remove the current context from the driver's stack of this thread."""
    call("cuCtxPopCurrent_v2", ctypes.byref(Handle()))


@cache
def _function(name: str) -> Callable[..., int]:
    function: Callable[..., int] = getattr(load_driver(), name)
    function.argtypes = _ARGUMENTS[name]  # type: ignore[attr-defined]
    return function
