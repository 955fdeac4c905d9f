"""The GPU's work for one image, put on a stream: upload, resizing, network, resizing back, download."""

from __future__ import annotations

from ..modelfile.contract import Contract
from .driver.gpu import Cuda
from .driver.parts import Graph, Stream
from .kernels.kernels import image_to_batch
from .kernels.resizes import depth_taps, depth_to_image, image_taps, missing_kernels
from .network import Network, NetworkCall, Recordable
from .slot_memory import Shape, SlotMemory


class SlotWork:
    """Puts the work of an image on a slot's stream; no method waits for the GPU.

    Args:
        gpu: Must stay open while this object is in use.
        contract: Contract of the model that `network` runs; all its resizes have kernels.
        network: The network between both resizes.
        stream: The slot's stream.
        memory: The slot's memory; it must be reserved for the shape that a method is given.
    """

    def __init__(self, gpu: Cuda, contract: Contract, network: Network, stream: Stream, memory: SlotMemory) -> None:
        assert not missing_kernels(contract), "the runner asks before it opens a pipeline"
        self._gpu, self._contract, self._network = gpu, contract, network
        self._stream, self._memory = stream, memory

    def fill_tables(self, shape: Shape) -> None:
        """Fill the tables that both resizes of a shape use."""
        at, contract = self._memory.at(shape), self._contract
        for axis in (0, 1):
            self._stream.launch(image_taps(at.image_taps[axis], contract, shape.fit, axis, shape.image_px))
            self._stream.launch(depth_taps(at.depth_taps[axis], contract, shape.fit, axis, shape.image_px))

    def run(self, shape: Shape) -> None:
        """Put all work that uses only the slot's memory on the stream.

        Unless the image is on the GPU already, it is uploaded and resized. Unless the depth stays there, it is resized
        and downloaded.
        """
        at = self._memory.at(shape)
        if not shape.image_on_gpu:
            self._stream.upload(at.image, self._memory.image(shape))
            self.image_to_batch(shape, at.image, 3 * shape.image_px[1])
        with self._gpu.current():
            self._network(NetworkCall(at.batch, at.depth, shape.fit.input_px, self._stream.handle))
        if not shape.depth_on_gpu:
            self.download_values(shape)

    def record(self, shape: Shape) -> Graph:
        """Return a graph of the work of run().

        Raises:
            CallRefused: The work cannot be recorded.
            BackendUnavailable: It must not run twice.
        """
        if isinstance(self._network, Recordable):
            with self._gpu.current():
                self._network.check_recordable(self._stream.handle)
        return self._stream.record(lambda: self.run(shape), host=self._memory.pinned)

    def image_to_batch(self, shape: Shape, image: int, row_bytes: int) -> None:
        """Resize and normalise the image (H, W, 3) uint8 at an address into the network's input."""
        at = self._memory.at(shape)
        self._stream.launch(
            image_to_batch(
                image=image,
                row_bytes=row_bytes,
                image_px=shape.image_px,
                taps=at.image_taps,
                batch=at.batch,
                input_px=shape.fit.input_px,
                contract=self._contract,
                color=shape.color,
            )
        )

    def depth_to_image(self, shape: Shape, values: int) -> None:
        """Resize the network's output to the image's size, into (H, W) float32 at an address."""
        at = self._memory.at(shape)
        self._stream.launch(
            depth_to_image(
                depth=at.depth,
                contract=self._contract,
                fit=shape.fit,
                taps=at.depth_taps,
                values=values,
                image_px=shape.image_px,
            )
        )

    def download_values(self, shape: Shape) -> None:
        """Resize the network's output to the image's size, into the host's memory."""
        at = self._memory.at(shape)
        self.depth_to_image(shape, at.values)
        self._stream.download(self._memory.values(shape), at.values)
