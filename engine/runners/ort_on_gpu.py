"""ONNX Runtime on a GPU: the session works on depthrt's stream and memory, between the kernels that resize images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import numpy as np

from ..cuda.driver.calls import CallRefused
from ..cuda.driver.gpu import Cuda
from ..cuda.driver.graph import is_recording
from ..cuda.driver.held import Held
from ..cuda.driver.parts import Stream
from ..cuda.host_batches import BatchShape, HostBatches
from ..cuda.kernels.resizes import missing_kernels
from ..cuda.network import NetworkCall
from ..cuda.network_on_gpu import NetworkOnGpu
from ..cuda.pipeline import DevicePipeline
from ..errors import BackendUnavailable
from ..modelfile.contract import Contract
from ..terms import INPUT, OUTPUTS
from .ort_session import CPU, CUDA, Providers, cuda_options

# While the GPU has one image, the host copies the image before out and the next one in: on an H200 310 images/s of
# 1080x1920, with one slot 170. Without a graph a second slot gains nothing, because starting the network takes the host
# as long as the GPU computes. Source: bench/NOTES.md, "On a GPU"
STATIC_SLOTS = 2
_ANY_NUMBER = 1 << 30


class OnGpu(NetworkOnGpu):
    """A session on the first GPU, and its pipeline for images; close() frees both.

    A session works on one stream, so images run one after the other. Only a file of one size runs as a CUDA graph: for
    other files the session computes shapes on the CPU and copies them to the GPU, for one run only.

    Args:
        contract: Of the model file.
        open_session: Returns a session of the file on the given providers.
        options: Of each run; with them it does not wait for the GPU.

    Raises:
        BackendUnavailable: No GPU, no pycuda, or the CUDA provider does not start.
    """

    provider = CUDA

    def __init__(
        self,
        contract: Contract,
        open_session: Callable[[Providers], Any],
        *,
        options: Any,  # noqa: ANN401 (onnxruntime has no types)
    ) -> None:
        super().__init__(Cuda())
        try:
            stream = Stream(self._gpu)
            asked = cuda_options(contract.precision) | {"user_compute_stream": str(stream.handle)}
            providers: Providers = [(CUDA, asked), CPU]
            self._network = OrtNetwork(
                self._gpu,
                stream,
                lambda: open_session(providers),
                batch=contract.batch,
                options=options,
            )
            if self._network.provider != CUDA:
                raise BackendUnavailable("ONNX Runtime could not start its CUDA provider; see `depthrt doctor`")
            self._batches = HostBatches(self._gpu, self._network, outputs=len(contract.outputs), stream=stream)
            if self._network.batch[0] == 1 and not missing_kernels(contract):
                static = contract.size.static
                slots = STATIC_SLOTS if static else 1
                self.pipeline = DevicePipeline(
                    self._gpu, contract, self._network, slots=slots, graphs=static, stream=stream
                )
        except BaseException:
            self._gpu.close()
            raise


class OrtNetwork(Held):
    """Starts the network's work on one stream; a Network of engine/cuda/network.py. Safe from several threads.

    Args:
        gpu: Stays open as long as the session.
        stream: That the session works on.
        open_session: Returns the session; called with the GPU's context current.
        batch: Number of images that the graph takes; None for any.
        options: Of each run; with them it does not wait for the GPU.
    """

    def __init__(
        self,
        gpu: Cuda,
        stream: Stream,
        open_session: Callable[[], Any],
        *,
        batch: int | None,
        options: Any,  # noqa: ANN401 (onnxruntime has no types)
    ) -> None:
        self.batch = (batch or 1, batch or _ANY_NUMBER)
        self._stream, self._options = stream, options
        self._running = Lock()  # a session on a stream that it was given is not made for two runs at once
        self._left_error = False  # by a recording that failed
        super().__init__(gpu, open_session)

    @property
    def provider(self) -> str:
        """Return the provider that runs the graph, which can be another one than was asked for."""
        return str(self._held.get_providers()[0])

    def __call__(self, call: NetworkCall) -> None:
        """Start the network for one image; the GPU's context is current."""
        self.start(shape=(1, 3, *call.input_px), input=call.input, outputs=(call.output,), stream=call.stream)

    def start(self, *, shape: BatchShape, input: int, outputs: Sequence[int], stream: int) -> None:
        """Put the network's work for (N, 3, h, w) float32 on the stream; returns without waiting."""
        assert stream == self._stream.handle, "the session works on another stream"
        binding = self._held.io_binding()
        binding.bind_input(INPUT, "cuda", 0, np.float32, shape, input)
        for name, output in zip(OUTPUTS, outputs, strict=False):
            binding.bind_output(name, "cuda", 0, np.float32, (shape[0], *shape[2:]), output)
        try:
            with self._running:
                self._run(binding, stream)
        except Exception as error:  # onnxruntime raises its own classes and RuntimeError alike
            raise CallRefused(f"ONNX Runtime: {' '.join(str(error).split())}") from error

    def _run(self, binding: Any, stream: int) -> None:  # noqa: ANN401 (onnxruntime has no types)
        """Run the session; once more if the error is that of a failed recording, which CUDA keeps for the next run."""
        try:
            self._held.run_with_iobinding(binding, self._options)
        except Exception:
            left_error, self._left_error = self._left_error, is_recording(stream)
            if not left_error or self._left_error:
                raise
            self._held.run_with_iobinding(binding, self._options)
        else:
            self._left_error = False

    def check_shape(self, shape: BatchShape) -> None:
        """Accept every shape: the session refuses what does not fit."""

    def forget(self, stream: int) -> None:
        """Do nothing: a session keeps nothing for a stream."""
