"""Computes depth from whole images on a GPU: resizing, network and resizing back, several images at once in slots."""

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
from .network import Network
from .slot import DeviceAnswer, KeptAnswer, Slot

SLOTS = 3  # one image is uploaded, one computed and one downloaded at a time


@dataclass(slots=True, eq=False)
class _Ticket:
    """A streamed image on the GPU: its slot, and its answer once that is known."""

    slot: Slot
    answer: Future[DeviceAnswer] = field(default_factory=Future)


class DevicePipeline(Closable):
    """Runs a network between depthrt's kernels. Safe from several threads; a context manager.

    Args:
        gpu: Must stay open while the pipeline is in use.
        contract: Contract of the model that `network` runs.
        network: Called for each image, or once for each recorded graph.
        slots: Largest number of images on the GPU at once; each slot has its memory.
        graphs: Whether images of one shape run as a CUDA graph. A graph is used only if its depth equals the network's.
        stream: The stream that the network is tied to, for one slot; None makes a stream for each slot.
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
        self._changed = Condition()  # guards _free and _started
        self._free: list[Slot] = []
        self._started: deque[_Ticket] = deque()  # images of all streams, oldest first
        try:
            for _ in range(slots):
                self._slots.append(Slot(gpu, contract, network, graphs=graphs, stream=stream))
                self._free.append(self._slots[-1])
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> tuple[str, ...]:
        """Every fallback so far, a sentence each."""
        return tuple(dict.fromkeys(slot.note for slot in self._slots if slot.note))

    def check(self, image: DeviceImage) -> None:
        """Raise InputError if an image is not in the memory of the pipeline's GPU."""
        check_place(self._gpu, image)

    def infer(self, image: Image, *, color: Color = "bgr") -> DeviceAnswer:
        """Return the depth of one image (H, W, 3) uint8; blocks.

        Raises:
            BackendUnavailable: The GPU has not enough memory or is lost.
            InputError: The pipeline is closed.
        """
        with self._borrowed() as slot:
            slot.start(image, color=color)
            return slot.finish()

    def infer_kept(self, image: Image, *, color: Color = "bgr") -> KeptAnswer:
        """Compute the depth of one image (H, W, 3) uint8 and leave it on the GPU; blocks.

        Raises:
            BackendUnavailable, InputError: As for infer.
        """
        with self._borrowed() as slot:
            slot.start(image, color=color, keep=True)
            return slot.finish_kept()

    def stream(self, images: Iterable[Image], *, color: Color = "bgr") -> Generator[DeviceAnswer]:
        """Yield the depth of each image in order; as many images as there are slots are on the GPU at once.

        An image on the GPU must not change before its depth is yielded.

        Raises:
            BackendUnavailable, InputError: As for infer.
        """
        tickets: deque[_Ticket] = deque()
        try:
            for image in images:
                while tickets and (len(tickets) == len(self._slots) or self._is_answered(tickets[0])):
                    yield self._collect(tickets.popleft())
                try:
                    tickets.append(self._start(image, color))
                except InputError:  # raised after the depth of the images before
                    while tickets:
                        yield self._collect(tickets.popleft())
                    raise
            while tickets:
                yield self._collect(tickets.popleft())
        finally:
            for ticket in tickets:
                if self._claim(ticket):
                    self._give_back(ticket.slot)

    def close(self) -> None:
        """Wait for the GPU and free all slots; safe to call twice."""
        for slot in self._slots:
            slot.close()

    def _start(self, image: Image, color: Color) -> _Ticket:
        """Start an image of a stream."""
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
        """Return the answer of a ticket; blocks."""
        if not ticket.answer.done():
            self._gpu.check_not_lost()
        if self._claim(ticket):
            try:
                _finish(ticket)
            finally:
                self._give_back(ticket.slot)
        return ticket.answer.result()

    def _take(self) -> Slot:
        """Return a free slot.

        If none is free, finish the oldest streamed image, keep its answer for its stream, and take that slot;
        otherwise an unread stream would block everybody.
        """
        self._gpu.check_not_lost()  # in a forked child no thread gives a slot back
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
        """Remove a ticket from the started ones; return False if another caller has taken its slot."""
        with self._changed:
            if ticket not in self._started:
                return False
            self._started.remove(ticket)
            return True

    def _is_answered(self, ticket: _Ticket) -> bool:
        """Return whether _collect would return without waiting."""
        with self._changed:
            return ticket.slot.done if ticket in self._started else ticket.answer.done()


def _finish(ticket: _Ticket) -> None:
    """Put the answer or the error into a ticket; an interrupt is also raised here."""
    try:
        ticket.answer.set_result(ticket.slot.finish())
    except BaseException as error:
        ticket.answer.set_exception(error)
        if not isinstance(error, Exception):
            raise
