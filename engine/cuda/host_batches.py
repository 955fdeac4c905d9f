"""Runs batches from the host's memory on the GPU, in parts that the network takes: upload, network, download."""

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

BatchShape = tuple[int, ...]

_FLOAT_BYTES = 4


class BatchNetwork(Protocol):
    """A network on the GPU that takes several images at once."""

    @property
    def batch(self) -> tuple[int, int]:
        """Return the smallest and the largest number of images that the network takes at once."""

    def check_shape(self, shape: BatchShape) -> None:
        """Raise InputError unless the network takes an input of this shape, (N, 3, h, w)."""

    def start(self, *, shape: BatchShape, input: int, output: int, stream: int) -> None:
        """Put the network's work on a stream and return without waiting; the GPU's context is current.

        Args:
            shape: (N, 3, h, w) of the input.
            input: Address of the input, float32 on the GPU.
            output: Address of the output, (N, h, w) float32 on the GPU.
            stream: Handle (CUstream) of the stream.
        """

    def forget(self, stream: int) -> None:
        """Free what the network keeps for a stream; the stream's work is done."""


class HostBatches:
    """Runs batches one after the other; safe from several threads. Memory and stream are kept for the next batch.

    Args:
        gpu: Must stay open while this object is in use.
        network: The network to run.
        stream: The stream that the network is tied to; None makes a stream for the first batch.
    """

    def __init__(self, gpu: Cuda, network: BatchNetwork, *, stream: Stream | None = None) -> None:
        self._gpu, self._network = gpu, network
        self._lock = Lock()
        self._closed = False
        self._given_stream = stream
        self._stream = stream
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None

    def run(self, batch: Float32) -> Float32:
        """Return the network's output (N, h, w) for (N, 3, h, w); blocks.

        Raises:
            InputError: The network does not take this size, or the model is closed.
            BackendUnavailable: The GPU has not enough memory, or is lost.
        """
        with self._lock:
            if self._closed:  # maybe while this thread waited for another batch
                raise InputError("this model is closed; load it again")
            largest = self._network.batch[1]
            parts = [self._run_part(batch[first : first + largest]) for first in range(0, len(batch), largest)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def free(self) -> None:
        """Free memory and stream; the next batch makes them again."""
        with self._lock:
            if self._stream is not None and not self._stream.closed:  # closed in a forked process
                with suppress(BackendUnavailable):  # a lost GPU has no work left
                    self._stream.synchronize()
                self._network.forget(self._stream.handle)
            own_stream = self._stream if self._given_stream is None else None
            for held in (self._pinned, self._device, own_stream):
                if held is not None:
                    held.close()
            self._stream, self._device, self._pinned = self._given_stream, None, None

    def close(self) -> None:
        """Free memory and stream and refuse further batches."""
        self._closed = True
        self.free()

    def _run_part(self, part: Float32) -> Float32:
        """Run at most the network's largest batch; a part below its smallest batch is filled up with the last image."""
        count = max(len(part), self._network.batch[0])
        shape: BatchShape = (count, *part.shape[1:])
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
        """Return a stream, and memory of at least n_bytes on the GPU and on the host; larger memory is kept."""
        if self._stream is None:
            self._stream = Stream(self._gpu)
        self._stream.synchronize()  # after an error or an interrupt, earlier work may still use the memory
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
