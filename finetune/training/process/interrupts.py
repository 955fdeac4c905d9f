"""Signals that end a training: the first one is noted, so that the step can be finished and saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ....engine.system.process.signals import ENDING, note


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Yield an event that the first Ctrl-C, SIGTERM or SIGHUP sets; a second one interrupts as usual.

    A signal that is ignored stays so.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # Python delivers signals to the main thread only
        return
    handlers = {number: signal.getsignal(number) for number in ENDING}
    before = {number: found for number, found in handlers.items() if found not in (signal.SIG_IGN, None)}

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        note(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
