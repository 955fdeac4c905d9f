"""Batches in the host's memory, answered on the GPU: copied up, run in parts that the network takes, copied down."""

from __future__ import annotations

from contextlib import suppress
from math import prod
from threading import Lock
from typing import Protocol

import numpy as np

from ..errors import BackendUnavailable, InputError
from ..images.preprocess import Float32
from .driver.gpu import Cuda
from .driver.parts import DeviceMemory, PinnedMemory, Stream
from .slot_memory import ALIGNMENT

Shape = tuple[int, ...]

_FLOAT_BYTES = 4


class BatchNetwork(Protocol):
    """A network on the GPU that takes batches."""

    @property
    def batch(self) -> tuple[int, int]:
        """Return the smallest and the largest number of images that it takes at once."""

    def check_shape(self, shape: Shape) -> None:
        """Raise InputError for an input (N, 3, h, w) that it cannot take."""

    def start(self, *, shape: Shape, input: int, output: int, stream: int) -> None:
        """Put its work on a stream, from address to address; the GPU's context is current."""

    def forget(self, stream: int) -> None:
        """Free what is kept for a stream, whose work is done."""


class HostBatches:
    """Runs one batch after the other; safe from several threads. What a batch needs is kept for the next.

    Args:
        gpu: Stays open as long as this.
        network: That answers.
        stream: That it works on; None makes one when it is needed.
    """

    def __init__(self, gpu: Cuda, network: BatchNetwork, *, stream: Stream | None = None) -> None:
        self._gpu, self._network = gpu, network
        self._lock = Lock()
        self._closed = False
        self._given = stream
        self._stream = stream
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None

    def run(self, batch: Float32) -> Float32:
        """Return the network's output (N, h, w) for (N, 3, h, w); blocks.

        Raises:
            InputError: The network does not take this size, or this is closed.
            BackendUnavailable: The GPU has not enough memory, or is lost.
        """
        with self._lock:
            if self._closed:  # while another batch was waited for
                raise InputError("this model is closed; load it again")
            most = self._network.batch[1]
            parts = [self._run_part(batch[first : first + most]) for first in range(0, len(batch), most)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def free(self) -> None:
        """Free what is kept; the next batch makes it again."""
        with self._lock:
            if self._stream is not None and not self._stream.closed:  # a fork loses it
                with suppress(BackendUnavailable):  # a lost GPU has stopped working
                    self._stream.synchronize()
                self._network.forget(self._stream.handle)
            own = self._stream if self._given is None else None
            for one in (self._pinned, self._device, own):
                if one is not None:
                    one.close()
            self._stream, self._device, self._pinned = self._given, None, None

    def close(self) -> None:
        """Free what is kept and take no further batch."""
        self._closed = True
        self.free()

    def _run_part(self, part: Float32) -> Float32:
        """Run images that the network takes at once; fewer than it takes are filled up with the last."""
        count = max(len(part), self._network.batch[0])
        shape: Shape = (count, *part.shape[1:])
        self._network.check_shape(shape)
        answer_shape = (count, *part.shape[2:])
        answer_at = -(-prod(shape) * _FLOAT_BYTES // ALIGNMENT) * ALIGNMENT
        stream, device, pinned = self._reserve(answer_at + prod(answer_shape) * _FLOAT_BYTES)
        batch = pinned.array[: prod(shape) * _FLOAT_BYTES].view(np.float32).reshape(shape)
        answer = pinned.array[answer_at : answer_at + prod(answer_shape) * _FLOAT_BYTES].view(np.float32)
        batch[: len(part)] = part
        batch[len(part) :] = part[-1]
        stream.upload(device.address, batch)
        with self._gpu.current():
            output = device.address + answer_at
            self._network.start(shape=shape, input=device.address, output=output, stream=stream.handle)
        stream.download(answer, output)
        stream.synchronize()
        return answer.reshape(answer_shape)[: len(part)].copy()

    def _reserve(self, n_bytes: int) -> tuple[Stream, DeviceMemory, PinnedMemory]:
        """Return a stream, and memory of at least this size on both sides; what is large enough stays."""
        if self._stream is None:
            self._stream = Stream(self._gpu)
        self._stream.synchronize()  # what an error or an interrupt left uses the memory
        if self._device is None or self._device.n_bytes < n_bytes:
            device, self._device = self._device, None
            if device is not None:
                device.close()
            self._device = DeviceMemory(self._gpu, n_bytes)
        if self._pinned is None or self._pinned.n_bytes < n_bytes:
            pinned, self._pinned = self._pinned, None
            if pinned is not None:
                pinned.close()
            self._pinned = PinnedMemory(self._gpu, n_bytes)
        return self._stream, self._device, self._pinned
