"""Images in, depth out, with resizing, network and resizing back on the GPU: several images at once, in slots."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition

from ..errors import InputError
from ..images.preprocess import Color
from ..modelfile.contract import Contract
from ..system.closable import Closable
from .device_image import DeviceImage, Image, check_place
from .driver.gpu import Cuda
from .driver.parts import Stream
from .slot import DeviceAnswer, KeptAnswer, Network, Slot

SLOTS = 3  # one image comes up, one is computed, one goes down


@dataclass(slots=True, eq=False)
class _Ticket:
    """An image of a stream that is on the GPU, and its answer once it is known."""

    slot: Slot
    answer: Future[DeviceAnswer] = field(default_factory=Future)


class DevicePipeline(Closable):
    """Runs a network between our kernels. Safe from several threads; a context manager; close() frees it.

    Args:
        gpu: Stays open as long as the pipeline.
        contract: Of the model that `network` runs.
        network: Called for each image, or once for each recorded graph.
        slots: Images on the GPU at once; each takes memory of its own.
        graphs: Whether images of one shape run as one CUDA graph, once it has answered like the network itself.
        stream: That the network is tied to, for one slot; None gives each slot a stream of its own.
    """

    def __init__(
        self,
        gpu: Cuda,
        contract: Contract,
        network: Network,
        *,
        slots: int = SLOTS,
        graphs: bool = True,
        stream: Stream | None = None,
    ) -> None:
        assert stream is None or slots == 1, "slots with one stream would wait for each other"
        self._gpu = gpu
        self._slots: list[Slot] = []
        self._changed = Condition()  # guards the two below
        self._free: list[Slot] = []
        self._started: deque[_Ticket] = deque()  # of all streams, oldest first
        try:
            for _ in range(slots):
                self._slots.append(Slot(gpu, contract, network, graphs=graphs, stream=stream))
                self._free.append(self._slots[-1])
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Each fallback and compromise so far, one sentence each."""
        return tuple(dict.fromkeys(slot.note for slot in self._slots if slot.note))

    def check(self, image: DeviceImage) -> None:
        """Raise InputError for an image that lies on another GPU, or on none."""
        check_place(self._gpu, image)

    def infer(self, image: Image, *, color: Color = "bgr") -> DeviceAnswer:
        """Return the depth of one image (H, W, 3) uint8; blocks.

        Raises:
            BackendUnavailable: The GPU has not enough memory, or is lost.
            InputError: The pipeline is closed.
        """
        with self._borrowed() as slot:
            slot.start(image, color=color)
            return slot.finish()

    def infer_kept(self, image: Image, *, color: Color = "bgr") -> KeptAnswer:
        """Return the depth of one image (H, W, 3) uint8, which stays on the GPU; blocks.

        Raises:
            BackendUnavailable, InputError: As for infer.
        """
        with self._borrowed() as slot:
            slot.start(image, color=color, keep=True)
            return slot.finish_kept()

    def stream(self, images: Iterable[Image], *, color: Color = "bgr") -> Generator[DeviceAnswer]:
        """Yield the depth of each image in order, with as many on the GPU as there are free slots.

        An image that lies on the GPU must stay as it is until its depth is there.

        Raises:
            BackendUnavailable, InputError: As for infer.
        """
        mine: deque[_Ticket] = deque()
        try:
            for image in images:
                while mine and (len(mine) == len(self._slots) or self._answered(mine[0])):
                    yield self._collect(mine.popleft())
                try:
                    mine.append(self._start(image, color))
                except InputError:  # comes after the depth of the images before
                    while mine:
                        yield self._collect(mine.popleft())
                    raise
            while mine:
                yield self._collect(mine.popleft())
        finally:
            for ticket in mine:
                if self._claim(ticket):
                    self._give_back(ticket.slot)

    def close(self) -> None:
        """Wait for the GPU and free every slot; safe to call twice."""
        for slot in self._slots:
            slot.close()

    def _start(self, image: Image, color: Color) -> _Ticket:
        """Put an image on the GPU."""
        slot = self._take()
        try:
            slot.start(image, color=color)
        except BaseException:
            self._give_back(slot)
            raise
        ticket = _Ticket(slot)
        with self._changed:
            self._started.append(ticket)
            self._changed.notify()
        return ticket

    def _collect(self, ticket: _Ticket) -> DeviceAnswer:
        """Return a ticket's answer; blocks."""
        if self._claim(ticket):
            try:
                _finish(ticket)
            finally:
                self._give_back(ticket.slot)
        return ticket.answer.result()

    def _take(self) -> Slot:
        """Return a free slot, or one that a stream has started: its answer is then kept for the stream.

        So nobody waits for a stream that nobody reads on, which may be one's own.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._started)
            if self._free:
                return self._free.pop()
            ticket = self._started.popleft()
        try:
            _finish(ticket)
        except BaseException:
            self._give_back(ticket.slot)
            raise
        return ticket.slot

    @contextmanager
    def _borrowed(self) -> Iterator[Slot]:
        slot = self._take()
        try:
            yield slot
        finally:
            self._give_back(slot)

    def _give_back(self, slot: Slot) -> None:
        with self._changed:
            self._free.append(slot)
            self._changed.notify()

    def _claim(self, ticket: _Ticket) -> bool:
        """Take a started ticket off the list; False where its slot has gone to somebody else."""
        with self._changed:
            if ticket not in self._started:
                return False
            self._started.remove(ticket)
            return True

    def _answered(self, ticket: _Ticket) -> bool:
        """Return whether _collect would not wait."""
        with self._changed:
            return ticket.slot.done if ticket in self._started else ticket.answer.done()


def _finish(ticket: _Ticket) -> None:
    """Put the answer, or the error instead, into a ticket; an interrupt also goes on from here."""
    try:
        ticket.answer.set_result(ticket.slot.finish())
    except BaseException as error:
        ticket.answer.set_exception(error)
        if not isinstance(error, Exception):
            raise
