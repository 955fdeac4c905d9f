"""One image on its way through the GPU: a stream, memory for one shape of image, and the recorded graph of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import RLock
from time import perf_counter
from typing import Protocol, runtime_checkable

import numpy as np

from ..depth.provenance import Timings
from ..errors import BackendUnavailable, InputError
from ..images.preprocess import Color, Fit, Float32, fit_image
from ..modelfile.contract import Contract
from .device_image import DeviceImage, Image
from .driver.gpu import Cuda
from .driver.handover import Handover
from .driver.parts import DeviceMemory, Event, Graph, Stream
from .kernels.kernels import bilinear_taps, cubic_taps, depth_to_image, image_to_batch
from .slot_memory import Shape, SlotMemory

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


@runtime_checkable
class Recordable(Protocol):
    """A network that knows whether its work can become a graph."""

    def check_recordable(self, stream: int) -> None:
        """Raise CallRefused unless the work that it puts on a stream can be recorded; the GPU's context is current."""


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


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """Depth of one image that stays on the GPU: (H, W) float32 in memory that is the caller's own to close."""

    memory: DeviceMemory
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
        self._handover = Handover(gpu)
        self._source: DeviceImage | None = None  # held until it was read
        self._kept: DeviceMemory | None = None  # for the depth that stays
        self._shape: Shape | None = None
        self._memory = SlotMemory(gpu)
        self._graph: Graph | None = None
        self._eager_runs = 0
        self._busy = self._closed = False
        self._copy_in_ms = 0.0

    @property
    def done(self) -> bool:
        """Whether finish() would return at once."""
        return self._closed or self._ended.passed

    def start(self, image: Image, *, color: Color, keep: bool = False) -> None:
        """Start all work for an image (H, W, 3) uint8; returns without waiting for the GPU.

        An image on the GPU is read where it lies and must stay as it is until finish. `keep` leaves the depth there.
        """
        with self._lock:
            self._check_open()
            self._wait()  # for what an interrupt may have left
            start = perf_counter()
            self._source = image if isinstance(image, DeviceImage) else None
            image_px = image.image_px if isinstance(image, DeviceImage) else (image.shape[0], image.shape[1])
            fit = fit_image(self._contract.size, image_px)
            shape = Shape(image_px, color, fit, image_there=self._source is not None, depth_stays=keep)
            self._busy = True
            if shape != self._shape:
                self._arrange(shape)
            if keep:
                self._kept = DeviceMemory(self._gpu, shape.values_bytes)
            if not isinstance(image, DeviceImage):
                np.copyto(self._memory.image(shape), image)
            elif image.stream is not None:
                self._handover.wait(self._stream, image.stream)
            self._copy_in_ms = _ms_since(start)
            self._begun.mark(self._stream)
            self._start_run(shape)
            self._ended.mark(self._stream)

    def finish(self) -> DeviceAnswer:
        """Wait for the depth of the image that start() was given."""
        with self._lock:
            shape, run_ms = self._await_end()
            start = perf_counter()
            values = self._memory.values(shape).copy()
            answer = DeviceAnswer(values, shape.fit, Timings(self._copy_in_ms, run_ms, _ms_since(start)))
            if self._graph_is_due:
                self._try_graph(shape, values)
            return answer

    def finish_kept(self) -> KeptAnswer:
        """Wait for the depth of the image that start(keep=True) was given."""
        with self._lock:
            shape, run_ms = self._await_end()
            assert self._kept is not None
            if self._graph_is_due:
                self._stream.download(self._memory.values(shape), self._kept.address)
                self._stream.synchronize()
                self._try_graph(shape, self._memory.values(shape).copy())
            kept, self._kept = self._kept, None
            return KeptAnswer(kept, shape.fit, Timings(self._copy_in_ms, run_ms, 0.0))

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
                self._drop_kept()
                self._memory.close()
                for one in (self._handover, self._ended, self._begun, *([self._stream] if self._own_stream else [])):
                    one.close()

    def _check_open(self) -> None:
        if self._closed:
            raise InputError("this model is closed; load it again")

    def _wait(self) -> None:
        if self._busy:
            self._stream.synchronize()
            self._busy = False
        self._drop_kept()

    def _await_end(self) -> tuple[Shape, float]:
        """Wait for the work of start(); return its shape and its time in ms."""
        self._check_open()
        assert self._shape is not None
        self._ended.synchronize()
        self._busy, self._source = False, None
        return self._shape, self._ended.ms_since(self._begun)

    def _arrange(self, shape: Shape) -> None:
        """Make memory and tables for another shape; memory that is large enough stays."""
        self._drop_graph()
        self._memory.reserve(shape)
        at = self._memory.at(shape)
        mode = self._contract.final_resize
        for axis in (0, 1):
            self._stream.launch(cubic_taps(at.cubic[axis], shape.fit, axis, shape.image_px))
            self._stream.launch(bilinear_taps(at.bilinear[axis], shape.fit, axis, shape.image_px, mode=mode))
        self._shape, self._eager_runs = shape, 0

    def _start_run(self, shape: Shape) -> None:
        """Put the whole way of one image on the stream, in one call what was recorded.

        Memory that others chose is another with each image, so the kernel at that end is launched by itself.
        """
        if self._source is not None:
            self._to_batch(shape, self._source.address, self._source.row_bytes)
        if self._graph is None:
            self._enqueue(shape)
            self._eager_runs += 1
        else:
            self._graph.launch(self._stream)
        if self._kept is not None:
            self._to_image(shape, self._kept.address)

    def _enqueue(self, shape: Shape) -> None:
        """Put what works on the slot's own memory on the stream."""
        at = self._memory.at(shape)
        if not shape.image_there:
            self._stream.upload(at.image, self._memory.image(shape))
            self._to_batch(shape, at.image, 3 * shape.image_px[1])
        with self._gpu.current():
            self._network(NetworkCall(at.batch, at.depth, shape.fit.input_px, self._stream.handle))
        if not shape.depth_stays:
            self._to_image(shape, at.values)
            self._stream.download(self._memory.values(shape), at.values)

    def _to_batch(self, shape: Shape, image: int, row_bytes: int) -> None:
        at = self._memory.at(shape)
        self._stream.launch(
            image_to_batch(
                image=image,
                row_bytes=row_bytes,
                image_px=shape.image_px,
                taps=at.cubic,
                batch=at.batch,
                input_px=shape.fit.input_px,
                contract=self._contract,
                color=shape.color,
            )
        )

    def _to_image(self, shape: Shape, values: int) -> None:
        at, width = self._memory.at(shape), shape.fit.input_px[1]
        self._stream.launch(
            depth_to_image(depth=at.depth, depth_width=width, taps=at.bilinear, values=values, image_px=shape.image_px)
        )

    @property
    def _graph_is_due(self) -> bool:
        # The first run of a shape may still set things up inside the network.
        return self._graphs and self._graph is None and self._eager_runs == 2

    def _try_graph(self, shape: Shape, eager: Float32) -> None:
        """Record the way as a graph and keep it if it answers like the run before."""
        at = self._memory.at(shape)
        written = at.depth if shape.image_there else at.batch
        graph = None
        try:
            if isinstance(self._network, Recordable):
                with self._gpu.current():
                    self._network.check_recordable(self._stream.handle)
            graph = self._stream.record(lambda: self._enqueue(shape))
            self._stream.blank(written, at.cubic[0] - written)  # or what the graph leaves out would look right
            graph.launch(self._stream)
            if shape.depth_stays:
                self._to_image(shape, at.values)
                self._stream.download(self._memory.values(shape), at.values)
            self._stream.synchronize()
        except Exception as error:  # whatever a network raises that worked until now
            if graph is not None:
                graph.close()
            if self._gpu.lost:
                raise
            self._refuse_graph(f"the network's work cannot be recorded as a CUDA graph, so it is started anew: {error}")
            return
        difference = float(np.abs(self._memory.values(shape) - eager).max())
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

    def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def _ms_since(start: float) -> float:
    return (perf_counter() - start) * 1e3
