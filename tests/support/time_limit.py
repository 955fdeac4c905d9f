"""What a test must not do to the rest of the suite: run without an end, or change how its process is scheduled or
computes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT_S = 600.0  # the slowest test takes 70 s on two quiet cores


@contextmanager
def time_limit(name: str, limit_s: float = LIMIT_S) -> Iterator[None]:
    """Kill the programs below this process once the block has run for limit_s; it waits for them no longer then.

    Args:
        name: Of the test, for the message on stderr.
        limit_s: Time of the block.
    """

    def end() -> None:
        found = programs_below(os.getpid())
        print(f"\n{name} ran for more than {limit_s:g} s; {len(found)} programs were killed", file=sys.__stderr__)
        for program in found:
            with suppress(ProcessLookupError):  # it has ended
                os.kill(program, signal.SIGKILL)

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def scheduling() -> int | None:
    """Return the scheduling policy of this thread, which the programs that it starts inherit; None if not known."""
    return os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None


def computes_exactly() -> bool:
    """Return whether this thread computes with denormal numbers, as IEEE 754 asks."""
    return 5e-324 * float("1") > 0


def programs_below(parent: int) -> list[int]:
    """Return the processes that a process started, and those that they started; Linux only, else none."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        children.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found, new = [], children.get(parent, [])
    while new:
        found += new
        new = [child for process in new for child in children.get(process, [])]
    return found
