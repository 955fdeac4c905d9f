"""A network on a GPU with its two inputs: whole images through the pipeline, and batches from the host."""

from __future__ import annotations

from contextlib import suppress

from ..errors import BackendUnavailable, InputError
from ..images.preprocess import Float32
from .driver.gpu import Cuda
from .host_batches import HostBatches
from .pipeline import DevicePipeline


class NetworkOnGpu:
    """Base class of the runners on a GPU. They set `_batches`, and `pipeline` if the network takes single images.

    Args:
        gpu: The open GPU; close() closes it.
    """

    _batches: HostBatches

    def __init__(self, gpu: Cuda) -> None:
        self.pipeline: DevicePipeline | None = None
        self._gpu = gpu
        self._closed = False

    def run(self, batch: Float32) -> Float32:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks.

        Raises:
            InputError: The network does not take this size, or the runner is closed.
            BackendUnavailable: The runtime refuses, or the GPU has not enough memory or is lost.
        """
        return self._run(batch)[0]

    def run_with_sky(self, batch: Float32) -> tuple[Float32, Float32]:
        """Return depth and the value for the sky, each (N, h, w) float32, of a network that has it; as run."""
        depth, sky = self._run(batch)
        return depth, sky

    def _run(self, batch: Float32) -> tuple[Float32, ...]:
        """Return every output of the network."""
        if self._closed:
            raise InputError("this model is closed; load it again")
        self._gpu.check_not_lost()
        return self._batches.run_all(batch)

    def free_batches(self) -> None:
        """Free the GPU memory that `run` keeps; the next call allocates it again. The pipeline does not use it."""
        self._batches.free()

    def close(self) -> None:
        """Wait for the GPU, free everything and close the GPU; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if not self._gpu.lost:  # a lost GPU has nothing left to free
            with suppress(BackendUnavailable):
                if self.pipeline is not None:
                    self.pipeline.close()
                self._batches.close()
        self._gpu.close()
