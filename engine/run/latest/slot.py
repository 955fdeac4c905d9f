"""A slot for one item between two threads: a new item replaces one that nobody took."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Condition
from time import monotonic
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Taken(Generic[Item]):
    """An item, and the number of items that it replaced since the one before was taken."""

    item: Item
    skipped: int


class Slot(Generic[Item]):
    """Holds the newest item until it is taken. For one thread that puts, and any number that take."""

    def __init__(self) -> None:
        self._changed = Condition()  # its lock is reentrant: the handler of a signal may call end
        self._held: Item | None = None
        self._skipped = 0
        self.received = 0
        self.skipped = 0
        self.ended = False

    def put(self, item: Item) -> None:
        """Hold an item instead of the one that is held; nothing after the end."""
        with self._changed:
            if self.ended:
                return
            replaced = self._held is not None
            self.received += 1
            self.skipped += replaced
            self._skipped += replaced
            self._held = item
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any longer; the item that is held can still be taken. From any thread, and from a signal."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait_end(self, timeout_s: float) -> bool:
        """Wait for the end; return whether it came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, timeout_s)

    def take(self, timeout_s: float | None) -> Taken[Item] | None:
        """Return the newest item and empty the slot; wait for one if it is empty.

        Args:
            timeout_s: How long to wait; None waits until the end.

        Returns:
            None if no item came in time, or none is left after the end.
        """
        until_s = None if timeout_s is None else monotonic() + timeout_s
        with self._changed:
            while self._held is None and not self.ended:
                left_s = None if until_s is None else until_s - monotonic()
                if left_s is not None and left_s <= 0:
                    return None
                self._changed.wait(left_s)
            if self._held is None:
                return None
            taken = Taken(self._held, self._skipped)
            self._held, self._skipped = None, 0
            return taken
