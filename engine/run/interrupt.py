"""Ctrl-C while a camera is recorded: it ends the recording, which becomes whole, and then interrupts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopped_by_ctrl_c(stop: Callable[[], object] | None) -> Iterator[None]:
    """Call `stop` if Ctrl-C is pressed inside the block, and raise KeyboardInterrupt at the block's end.

    A second Ctrl-C raises at once. Ctrl-C keeps its effect outside the main thread, and if the program has its own
    handler of SIGINT.

    Args:
        stop: Makes the block end soon; called by the handler of the signal. None changes nothing.
    """
    handler = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    if stop is None or handler is not signal.default_int_handler or not in_main_thread:
        yield
        return
    pressed = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, handler)
        stop()

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pressed:
            raise KeyboardInterrupt
