"""One image on its way through the GPU: a stream, memory for one shape of image, and the recorded graph of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from ..contract import Contract
from ..depth import Timings
from ..errors import BackendUnavailable, InputError
from ..preprocess import Color, Fit, Float32, fit_image
from .gpu import Cuda
from .kernels import bilinear_taps, cubic_taps, depth_to_image, image_to_batch
from .layout import Shape
from .parts import DeviceMemory, Event, Graph, PinnedMemory, Stream

# A recorded graph runs the same kernels as before, so only atomic sums may differ, in their last bits.
GRAPH_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """What a network has to do for one image.

    Args:
        input: Address of (1, 3, h, w) float32 on the GPU.
        output: Address of (1, h, w) float32 on the GPU, to be written.
        input_px: (h, w).
        stream: Handle (CUstream) of the stream that the work goes on; it differs from slot to slot.
    """

    input: int
    output: int
    input_px: tuple[int, int]
    stream: int


# Puts its work on the stream and returns without waiting; the GPU's context is current. Two may run at once.
Network = Callable[[NetworkCall], None]


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """Depth of one image.

    Args:
        values: (H, W) float32, the caller's own.
        fit: Where the image lay in the network's input.
        timings: Copying the image in, the GPU's work from the image's upload to the depth's download, copying out.
    """

    values: Float32
    fit: Fit
    timings: Timings


class Slot:
    """Takes one image at a time: start() puts it on the GPU, finish() waits for its depth."""

    def __init__(
        self, gpu: Cuda, contract: Contract, network: Network, *, graphs: bool, stream: Stream | None = None
    ) -> None:
        self.note = ""  # why no graph is used although it was asked for
        self._gpu, self._contract, self._network = gpu, contract, network
        self._graphs = graphs
        self._lock = RLock()
        self._own_stream = stream is None
        self._stream = Stream(gpu) if stream is None else stream
        self._begun, self._ended = Event(gpu), Event(gpu)
        self._shape: Shape | None = None
        self._device: DeviceMemory | None = None
        self._pinned: PinnedMemory | None = None  # the image, then the values
        self._graph: Graph | None = None
        self._eager_runs = 0
        self._busy = self._closed = False
        self._copy_in_ms = 0.0

    @property
    def done(self) -> bool:
        """Whether finish() would return at once."""
        return self._closed or self._ended.passed

    def start(self, image: NDArray[np.uint8], *, color: Color) -> None:
        """Copy an image (H, W, 3) uint8 and start all work for it; returns without waiting for the GPU."""
        with self._lock:
            self._check_open()
            self._wait()  # for what an interrupt may have left
            start = perf_counter()
            image_px = (image.shape[0], image.shape[1])
            shape = Shape(image_px, color, fit_image(self._contract.size, image_px))
            self._busy = True
            if shape != self._shape:
                self._arrange(shape)
            np.copyto(self._image(shape), image)
            self._copy_in_ms = _ms_since(start)
            self._begun.mark(self._stream)
            if self._graph is None:
                self._enqueue(shape)
                self._eager_runs += 1
            else:
                self._graph.launch(self._stream)
            self._ended.mark(self._stream)

    def finish(self) -> DeviceAnswer:
        """Wait for the depth of the image that start() was given."""
        with self._lock:
            self._check_open()
            assert self._shape is not None
            self._ended.synchronize()
            self._busy = False
            run_ms = self._ended.ms_since(self._begun)
            start = perf_counter()
            values = self._values(self._shape).copy()
            answer = DeviceAnswer(values, self._shape.fit, Timings(self._copy_in_ms, run_ms, _ms_since(start)))
            # The first run of a shape may still set things up inside the network.
            if self._graphs and self._graph is None and self._eager_runs == 2:
                self._try_graph(self._shape, values)
            return answer

    def close(self) -> None:
        """Wait for the GPU and free everything."""
        with self._lock:
            if self._closed:
                return
            try:
                self._wait()
            except BackendUnavailable:
                pass  # a lost GPU has stopped working
            finally:
                self._closed = True
                self._drop_graph()
                self._drop_device()
                self._drop_pinned()
                for one in (self._ended, self._begun, *([self._stream] if self._own_stream else [])):
                    one.close()

    def _check_open(self) -> None:
        if self._closed:
            raise InputError("this model is closed; load it again")

    def _wait(self) -> None:
        if self._busy:
            self._stream.synchronize()
            self._busy = False

    def _arrange(self, shape: Shape) -> None:
        """Make memory and tables for another shape; memory that is large enough stays."""
        self._drop_graph()
        if self._device is None or self._device.n_bytes < shape.device_bytes:
            self._drop_device()
            self._device = DeviceMemory(self._gpu, shape.device_bytes)
        if self._pinned is None or self._pinned.n_bytes < shape.pinned_bytes:
            self._drop_pinned()
            self._pinned = PinnedMemory(self._gpu, shape.pinned_bytes)
        at = shape.addresses(self._device.address)
        mode = self._contract.final_resize
        for axis in (0, 1):
            self._stream.launch(cubic_taps(at.cubic[axis], shape.fit, axis, shape.image_px))
            self._stream.launch(bilinear_taps(at.bilinear[axis], shape.fit, axis, shape.image_px, mode=mode))
        self._shape, self._eager_runs = shape, 0

    def _enqueue(self, shape: Shape) -> None:
        """Put the whole way of one image on the stream."""
        assert self._device is not None
        at, fit = shape.addresses(self._device.address), shape.fit
        self._stream.upload(at.image, self._image(shape))
        self._stream.launch(
            image_to_batch(
                image=at.image,
                row_bytes=3 * shape.image_px[1],
                image_px=shape.image_px,
                taps=at.cubic,
                batch=at.batch,
                input_px=fit.input_px,
                contract=self._contract,
                color=shape.color,
            )
        )
        with self._gpu.current():
            self._network(NetworkCall(at.batch, at.depth, fit.input_px, self._stream.handle))
        self._stream.launch(
            depth_to_image(
                depth=at.depth,
                depth_width=fit.input_px[1],
                taps=at.bilinear,
                values=at.values,
                image_px=shape.image_px,
            )
        )
        self._stream.download(self._values(shape), at.values)

    def _try_graph(self, shape: Shape, eager: Float32) -> None:
        """Record the way as a graph and keep it if it answers like the run before."""
        assert self._device is not None
        at = shape.addresses(self._device.address)
        graph = None
        try:
            graph = self._stream.record(lambda: self._enqueue(shape))
            self._stream.blank(at.batch, at.cubic[0] - at.batch)  # or what the graph leaves out would look right
            graph.launch(self._stream)
            self._stream.synchronize()
        except Exception as error:  # whatever a network raises that worked until now
            if graph is not None:
                graph.close()
            if self._gpu.lost:
                raise
            self._refuse_graph(f"the network's work cannot be recorded as a CUDA graph, so it is started anew: {error}")
            return
        difference = float(np.abs(self._values(shape) - eager).max())
        allowed = GRAPH_TOLERANCE * max(float(np.ptp(eager)), float(np.abs(eager).max()))
        if difference <= allowed:
            self._graph = graph
            return
        graph.close()
        self._refuse_graph(
            f"the recorded CUDA graph answers {difference:.3g} away from the network's own answer, "
            f"{allowed:.3g} is allowed; it is not used"
        )

    def _refuse_graph(self, note: str) -> None:
        self._graphs, self.note = False, note

    def _drop_graph(self) -> None:
        """Free the graph, and forget the shape that it was for."""
        graph, self._graph, self._shape = self._graph, None, None
        if graph is not None:
            graph.close()

    def _drop_device(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _drop_pinned(self) -> None:
        pinned, self._pinned = self._pinned, None
        if pinned is not None:
            pinned.close()

    def _image(self, shape: Shape) -> NDArray[np.uint8]:
        assert self._pinned is not None
        return self._pinned.array[: shape.image_bytes].reshape(*shape.image_px, 3)

    def _values(self, shape: Shape) -> Float32:
        assert self._pinned is not None
        values = self._pinned.array[shape.pinned_values : shape.pinned_bytes]
        return values.view(np.float32).reshape(shape.image_px)


def _ms_since(start: float) -> float:
    return (perf_counter() - start) * 1e3
