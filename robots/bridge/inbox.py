"""The newest message of a topic: what comes while nobody takes it replaces what is held."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

from ...engine.errors import InputError
from ...engine.run.latest.slot import Slot
from ..messages.types import Message, decode
from .dialect import read_attachment, type_of_key
from .session import Session
from .tally import Arrivals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import zenoh

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Arrived(Generic[M]):
    """A message that came.

    Args:
        message: Decoded when it was taken: what nobody takes is never decoded.
        arrived_s: When it came to this process, of the clock that `time.monotonic` reads.
        skipped: Messages that it replaced since the one before was taken.
    """

    message: M
    arrived_s: float
    skipped: int


class Inbox(Generic[M]):
    """Keeps only the newest message of a topic.

    Args:
        topic: Its full name.
        types: The types that are taken, by their names; the first is the one that others are told.
    """

    def __init__(self, session: Session, topic: str, types: Mapping[str, type[M]]) -> None:
        self.topic, self._types = topic, types
        self._slot: Slot[tuple[float, zenoh.Sample]] = Slot()
        self.heard_s = monotonic()  # when the last message came, or when it began to wait for the first
        self._lost = 0
        self._last = (b"", 0)  # publisher and number of the last message
        session.subscribe(topic, next(iter(types.values())), self._hear)

    @property
    def arrivals(self) -> Arrivals:
        """Return what came so far."""
        return Arrivals(self._slot.received, self._slot.skipped, self._lost)

    def take(self, timeout_s: float) -> Arrived[M] | None:
        """Return the newest message that was not taken yet; wait for one if there is none.

        Returns:
            None if no message came in time, or after `stop`.

        Raises:
            InputError: The message is of another type, or its bytes are not such a message.
        """
        taken = self._slot.take(timeout_s)
        if taken is None:
            return None
        arrived_s, sample = taken.item
        kind = type_of_key(str(sample.key_expr))
        if kind not in self._types:
            expected = " or ".join(self._types)
            raise InputError(f"{self.topic}: messages of {kind!r:.80} found, expected {expected}; give another topic")
        return Arrived(decode(sample.payload.to_bytes(), self._types[kind]), arrived_s, taken.skipped)

    def stop(self) -> None:
        """Let `take` return None from now on; from any thread, and from the handler of a signal."""
        self._slot.end()

    def _hear(self, sample: zenoh.Sample) -> None:
        self.heard_s = monotonic()
        self._slot.put((self.heard_s, sample))
        attachment = None if sample.attachment is None else read_attachment(sample.attachment.to_bytes())
        if attachment is not None:
            gid, number = self._last
            self._lost += max(attachment.number - number - 1, 0) if attachment.gid == gid else 0
            self._last = (attachment.gid, attachment.number)
