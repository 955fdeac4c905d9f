"""Makes one of our streams wait, on the GPU, for the stream of another library."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from .calls import Handle, call
from .held import Held
from .parts import Stream

if TYPE_CHECKING:
    from .gpu import Cuda

_DISABLE_TIMING = 2  # CU_EVENT_DISABLE_TIMING


class Handover(Held):
    """An event that holds one of our streams back until another library's work is done; the host does not wait."""

    def __init__(self, gpu: Cuda) -> None:
        super().__init__(gpu, _make_event)

    def wait(self, ours: Stream, theirs: int) -> None:
        """Hold later work on our stream back until the work that is on theirs (a CUstream) now is done."""
        with self._gpu.current():
            call("cuEventRecord", self._held, theirs)
            call("cuStreamWaitEvent", ours.handle, self._held, 0)

    def _free(self) -> None:
        call("cuEventDestroy_v2", self._held)


def _make_event() -> Handle:
    event = Handle()
    call("cuEventCreate", ctypes.byref(event), _DISABLE_TIMING)
    return event
