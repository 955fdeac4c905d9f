"""Runs batches from the host's memory on the GPU, in parts that the network takes: upload, network, download."""

from __future__ import annotations

from collections.abc import Sequence
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

    def start(self, *, shape: BatchShape, input: int, outputs: Sequence[int], stream: int) -> None:
        """Put the network's work on a stream and return without waiting; the GPU's context is current.

        Args:
            shape: (N, 3, h, w) of the input.
            input: Address of the input, float32 on the GPU.
            outputs: Addresses of the outputs, each (N, h, w) float32 on the GPU: of the depth, and of the sky if the
                network has it.
            stream: Handle (CUstream) of the stream.
        """

    def forget(self, stream: int) -> None:
        """Free what the network keeps for a stream; the stream's work is done."""


class HostBatches:
    """Runs batches one after the other; safe from several threads. Memory and stream are kept for the next batch.

    Args:
        gpu: Must stay open while this object is in use.
        network: The network to run.
        outputs: Number of its outputs.
        stream: The stream that the network is tied to; None makes a stream for the first batch.
    """

    def __init__(self, gpu: Cuda, network: BatchNetwork, *, outputs: int = 1, stream: Stream | None = None) -> None:
        self._gpu, self._network, self._outputs = gpu, network, outputs
        self._lock = Lock()
        self._closed = False
        self._given_stream = stream
        self._stream = stream
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None

    def run(self, batch: Float32) -> Float32:
        """Return the network's first output (N, h, w) for (N, 3, h, w); blocks. For errors see run_all."""
        return self.run_all(batch)[0]

    def run_all(self, batch: Float32) -> tuple[Float32, ...]:
        """Return every output of the network, each (N, h, w), for (N, 3, h, w); blocks.

        Raises:
            InputError: The network does not take this size, or the model is closed.
            BackendUnavailable: The GPU has not enough memory, or is lost.
        """
        with self._lock:
            if self._closed:  # maybe while this thread waited for another batch
                raise InputError("this model is closed; load it again")
            largest = self._network.batch[1]
            parts = [self._run_part(batch[first : first + largest]) for first in range(0, len(batch), largest)]
        found: tuple[Float32, ...] = tuple(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))
        return found

    def free(self) -> None:
        """Free memory and stream; the next batch makes them again."""
        with self._lock:
            if self._stream is not None and not self._stream.closed:  # closed in a forked process
                with suppress(BackendUnavailable), self._stream.order:  # a lost GPU has no work left
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
        """Run at most the network's largest batch; a part below its smallest batch is filled up with the last image.

        Returns:
            (outputs, N, h, w).
        """
        count = max(len(part), self._network.batch[0])
        shape: BatchShape = (count, *part.shape[1:])
        self._network.check_shape(shape)
        answer_shape = (count, *part.shape[2:])
        answer_bytes = prod(answer_shape) * _FLOAT_BYTES
        first, step = _aligned(prod(shape) * _FLOAT_BYTES), _aligned(answer_bytes)
        answers_at = [first + step * index for index in range(self._outputs)]
        end = answers_at[-1] + answer_bytes
        stream = self._stream = self._stream or Stream(self._gpu)
        with stream.order:
            device, pinned = self._reserve(stream, end)
            batch = pinned.array[: prod(shape) * _FLOAT_BYTES].view(np.float32).reshape(shape)
            batch[: len(part)] = part
            batch[len(part) :] = part[-1]
            stream.upload(device.address, batch)
            with self._gpu.current():
                outputs = [device.address + at for at in answers_at]
                self._network.start(shape=shape, input=device.address, outputs=outputs, stream=stream.handle)
            answers = [pinned.array[at : at + answer_bytes].view(np.float32) for at in answers_at]
            for answer, output in zip(answers, outputs, strict=True):
                stream.download(answer, output)
            stream.synchronize()
            return np.stack([answer.reshape(answer_shape)[: len(part)] for answer in answers])

    def _reserve(self, stream: Stream, n_bytes: int) -> tuple[DeviceMemory, PinnedMemory]:
        """Return memory of at least n_bytes on the GPU and on the host; larger memory is kept."""
        stream.synchronize()  # after an error or an interrupt, earlier work may still use the memory
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
        return self._device, self._pinned


def _aligned(n_bytes: int) -> int:
    """Round up to a multiple of ALIGNMENT."""
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT
