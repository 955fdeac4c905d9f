"""What other libraries have on a GPU: which GPU an address is on, and our streams waiting for theirs."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from ..errors import InputError
from .calls import Handle, answer_of, call
from .device_image import DeviceImage
from .parts import Held, Stream

if TYPE_CHECKING:
    from .gpu import Cuda

# Source: CUDA driver API, CUpointer_attribute and CUevent_flags
_DEVICE_ORDINAL = 9
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


def check_place(gpu: Cuda, image: DeviceImage) -> None:
    """Raise InputError for an image that lies on another GPU, or on none."""
    device = ctypes.c_int(-1)
    with gpu.current():
        status = answer_of("cuPointerGetAttribute", ctypes.byref(device), _DEVICE_ORDINAL, image.address)
    if status != 0 or device.value < 0:
        raise InputError(
            f"image: the address {image.address:#x} found, which is on no GPU; expected one on {gpu.name}; "
            "give it from the process that made it, and not after it was freed"
        )
    if device.value != gpu.index:
        raise InputError(
            f"image: on GPU {device.value} found, the model is on GPU {gpu.index}, {gpu.name}; "
            "copy it there, or to the host"
        )


def _make_event() -> Handle:
    event = Handle()
    call("cuEventCreate", ctypes.byref(event), _DISABLE_TIMING)
    return event
