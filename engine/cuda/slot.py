"""A place on the GPU for one image at a time: its stream, its memory, and the CUDA graph of its work."""

from __future__ import annotations

from dataclasses import dataclass
from threading import RLock
from time import perf_counter

import numpy as np

from ..depth.provenance import Timings
from ..errors import BackendUnavailable, InputError
from ..images.preprocess import Color, Fit, Float32, fit_image
from ..modelfile.contract import Contract
from .device_image import DeviceImage, Image
from .driver.gpu import Cuda
from .driver.handover import Handover
from .driver.parts import DeviceMemory, Event, Graph, Stream
from .network import Network
from .slot_memory import Shape, SlotMemory
from .slot_work import SlotWork

# A graph runs the kernels of the run before it, so only the order of atomic sums may differ, in their last bits.
GRAPH_TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """Depth of one image.

    Args:
        values: (H, W) float32, a copy that the caller owns.
        fit: How the image was fitted to the network's input.
        timings: Copying the image into pinned memory; the GPU's time from the upload of the image to the download of
            the depth; copying the depth out.
    """

    values: Float32
    fit: Fit
    timings: Timings


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """Depth of one image that stays on the GPU: (H, W) float32 in memory that the caller owns and closes."""

    memory: DeviceMemory
    fit: Fit
    timings: Timings


class Slot:
    """Runs one image at a time: start() puts its work on the GPU, finish() waits for its depth.

    Args:
        gpu: Must stay open while the slot is in use.
        contract: Contract of the model that `network` runs.
        network: Called for each image, or once for each recorded graph.
        graphs: Whether images of one shape run as a CUDA graph.
        stream: The stream that the network is tied to; None makes a stream.
    """

    def __init__(
        self, gpu: Cuda, contract: Contract, network: Network, *, graphs: bool, stream: Stream | None = None
    ) -> None:
        self.note = ""  # why no graph is used although `graphs` is set
        self._gpu, self._contract = gpu, contract
        self._graphs = graphs
        self._lock = RLock()
        self._owns_stream = stream is None
        self._stream = Stream(gpu) if stream is None else stream
        self._start_event, self._end_event = Event(gpu), Event(gpu)
        self._handover = Handover(gpu)
        self._source: DeviceImage | None = None  # referenced until the GPU has read it
        self._kept: DeviceMemory | None = None  # for the depth that stays on the GPU
        self._shape: Shape | None = None
        self._memory = SlotMemory(gpu)
        self._work = SlotWork(gpu, contract, network, self._stream, self._memory)
        self._graph: Graph | None = None
        self._eager_runs = 0
        self._busy = self._closed = False
        self._copy_in_ms = 0.0

    @property
    def done(self) -> bool:
        """Whether finish() would return without waiting."""
        return self._closed or self._end_event.passed

    def start(self, image: Image, *, color: Color, keep: bool = False) -> None:
        """Start all work for an image (H, W, 3) uint8; returns without waiting for the GPU.

        Args:
            image: An image on the GPU is read where it is and must not change before finish().
            color: Order of the image's channels.
            keep: Whether the depth stays on the GPU; finish_kept() returns it.
        """
        with self._lock:
            self._check_open()
            self._wait()  # for work that an interrupt may have left
            start = perf_counter()
            self._source = image if isinstance(image, DeviceImage) else None
            image_px = image.image_px if isinstance(image, DeviceImage) else (image.shape[0], image.shape[1])
            fit = fit_image(self._contract.size, image_px)
            shape = Shape(image_px, color, fit, image_on_gpu=self._source is not None, depth_on_gpu=keep)
            self._busy = True
            if shape != self._shape:
                self._prepare(shape)
            if keep:
                self._kept = DeviceMemory(self._gpu, shape.values_bytes)
            if not isinstance(image, DeviceImage):
                np.copyto(self._memory.image(shape), image)
            self._copy_in_ms = _ms_since(start)
            with self._stream.order:
                if isinstance(image, DeviceImage) and image.stream is not None:
                    self._handover.wait(self._stream, image.stream)
                self._start_event.mark(self._stream)
                self._start_run(shape)
                self._end_event.mark(self._stream)

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
                with self._stream.order:
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
                pass  # a lost GPU has no work left
            finally:
                self._closed = True
                self._drop_graph()
                self._drop_kept()
                self._memory.close()
                for held in (self._handover, self._end_event, self._start_event):
                    held.close()
                if self._owns_stream:
                    self._stream.close()

    def _check_open(self) -> None:
        if self._closed:
            raise InputError("this model is closed; load it again")

    def _wait(self) -> None:
        if self._busy:
            with self._stream.order:
                self._stream.synchronize()
            self._busy = False
        self._drop_kept()

    def _await_end(self) -> tuple[Shape, float]:
        """Wait for the work of start(); return its shape and the GPU's time in ms."""
        self._check_open()
        assert self._shape is not None
        self._end_event.synchronize()
        self._busy, self._source = False, None
        return self._shape, self._end_event.ms_since(self._start_event)

    def _prepare(self, shape: Shape) -> None:
        """Reserve memory and fill the tables for another shape."""
        self._drop_graph()
        self._memory.reserve(shape)
        with self._stream.order:
            self._work.fill_tables(shape)
        self._shape, self._eager_runs = shape, 0

    def _start_run(self, shape: Shape) -> None:
        """Put the work of an image on the stream, as a graph if there is one.

        A graph holds fixed addresses. The kernel that reads another library's image, and the kernel that writes depth
        that stays on the GPU, use another address for each image, so they are launched beside the graph.
        """
        if self._source is not None:
            self._work.image_to_batch(shape, self._source.address, self._source.row_bytes)
        if self._graph is None:
            self._work.run(shape)
            self._eager_runs += 1
        else:
            self._graph.launch(self._stream)
        if self._kept is not None:
            self._work.depth_to_image(shape, self._kept.address)

    @property
    def _graph_is_due(self) -> bool:
        # The first run of a shape may allocate or compile inside the network, so the second is recorded.
        return self._graphs and self._graph is None and self._eager_runs == 2

    def _try_graph(self, shape: Shape, eager: Float32) -> None:
        """Record the work of the last image, and keep the graph if its depth equals that of the last run, `eager`."""
        graph = None
        try:
            with self._stream.order:
                graph = self._work.record(shape)
                self._run_graph(graph, shape)
        except Exception as error:  # a network may raise any error
            if graph is not None:
                graph.close()
            if self._gpu.lost:
                raise
            self._refuse_graph(
                f"the network's work cannot be recorded as a CUDA graph, so it is started step by step: {error}"
            )
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

    def _run_graph(self, graph: Graph, shape: Shape) -> None:
        """Run a graph on the last image and wait for the depth, in the host's memory."""
        at = self._memory.at(shape)
        written = at.depth if shape.image_on_gpu else at.batch
        # The memory holds the last run's results, which would hide work that is missing in the graph.
        self._stream.blank(written, at.image_taps[0] - written)
        graph.launch(self._stream)
        if shape.depth_on_gpu:
            self._work.download_values(shape)
        self._stream.synchronize()

    def _refuse_graph(self, note: str) -> None:
        self._graphs, self.note = False, note

    def _drop_graph(self) -> None:
        """Free the graph and forget the shape that it was recorded for."""
        graph, self._graph, self._shape = self._graph, None, None
        if graph is not None:
            graph.close()

    def _drop_kept(self) -> None:
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()


def _ms_since(start: float) -> float:
    return (perf_counter() - start) * 1e3
