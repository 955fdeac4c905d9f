"""Ctrl-C, SIGTERM and SIGHUP end a program alike: each becomes a KeyboardInterrupt, and the exit code tells them apart.

SIGTERM comes from `timeout`, containers, systemd and job queues, SIGHUP from a terminal that is closed. A library must
not take them over: only programs use `ends_by_signals`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType

# Windows has no SIGHUP.
ENDING = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
_SETTLE_S = 3.0  # Ctrl-C pressed twice, or SIGTERM after SIGHUP, must not break off what the first one began


class _Last:
    """The last signal that was obeyed in this process, and when."""

    number: int = signal.SIGINT
    at_s = -_SETTLE_S
    process = 0  # that installed the handlers


def note(number: int) -> None:
    """Remember which signal ends the program; called by every handler that ends it."""
    _Last.number, _Last.at_s = number, monotonic()


def was_interrupted() -> bool:
    """Whether a signal was obeyed since the program began."""
    return _Last.at_s >= 0


def exit_code() -> int:
    """Return the exit code of a program that a signal ended: 130, 143 or 129, as shells count them."""
    return 128 + _Last.number


def signal_name() -> str:
    """Return what people call the signal that ended the program."""
    return "Ctrl-C" if _Last.number == signal.SIGINT else signal.Signals(_Last.number).name


@contextmanager
def ends_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block at Ctrl-C, SIGTERM and SIGHUP; for programs.

    Further signals are ignored for some seconds, so that cleaning up ends. A signal that is ignored (nohup ignores
    SIGHUP) or has another handler stays so, and so do all outside the main thread.
    """
    note(signal.SIGINT)
    _Last.at_s, _Last.process = -_SETTLE_S, os.getpid()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = [number for number, handler in before.items() if handler in (signal.default_int_handler, signal.SIG_DFL)]
    for number in ours:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in ours:
            if signal.getsignal(number) is _interrupt:
                signal.signal(number, before[number])


@contextmanager
def stopped_by_signals(stop: Callable[[], object] | None) -> Iterator[None]:
    """Call `stop` if a signal would interrupt the block, and raise KeyboardInterrupt at the block's end.

    A second Ctrl-C raises at once, a second SIGTERM or SIGHUP is ignored. A signal keeps its effect outside the main
    thread, and if the program has its own handler.

    Args:
        stop: Makes the block end soon; called by the handler of the signal. None changes nothing.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = [number for number, handler in before.items() if handler in (signal.default_int_handler, _interrupt)]
    if stop is None or not ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    ended = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        if ended and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not ended:
            ended = True
            note(number)
            stop()

    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
        if ended:
            raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt unless another signal was obeyed a moment ago."""
    if os.getpid() != _Last.process and number != signal.SIGINT:  # a forked child, which dies of it as any other
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if monotonic() - _Last.at_s >= _SETTLE_S:
        note(number)
        raise KeyboardInterrupt
