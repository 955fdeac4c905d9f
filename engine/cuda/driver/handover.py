"""What other libraries have on a GPU: which GPU an address is on, and our streams waiting for theirs."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from .calls import Handle, call
from .held import Held
from .parts import Stream

if TYPE_CHECKING:
    from .gpu import Cuda

_DISABLE_TIMING = 2


class Handover(Held):
    """Makes a stream of ours wait for what another library has put on its own; the host does not wait."""

    def __init__(self, gpu: Cuda) -> None:
        super().__init__(gpu, _make_event)

    def wait(self, ours: Stream, theirs: int) -> None:
        """Hold back what comes on our stream until all that is on theirs (a CUstream) now is done."""
        with self._gpu.current():
            call("cuEventRecord", self._held, theirs)
            call("cuStreamWaitEvent", ours.handle, self._held, 0)

    def _free(self) -> None:
        call("cuEventDestroy_v2", self._held)


def _make_event() -> Handle:
    event = Handle()
    call("cuEventCreate", ctypes.byref(event), _DISABLE_TIMING)
    return event
