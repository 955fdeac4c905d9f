"""A lock between processes: a file that one process holds at a time; the system frees it when the process dies."""

# filelock would replace this module. Its import takes 47 ms (it brings asyncio), fcntl's none (median of 30,
# interleaved); it does not report that it waits, and without locks it turns to lock files, where here is an OSError.

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import BinaryIO

_LOOK_S = 0.05  # between attempts; a wait inside the system would not notice Ctrl-C everywhere


@contextmanager
def file_lock(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock while the block runs; blocks until it is free. Threads of the same process exclude each other too.

    Args:
        path: The file. It is created and never removed, as removing it would let two processes hold the lock.
        on_wait: Called once if another process or thread holds the lock.
    """
    with path.open("a+b") as file:
        waited = False
        while not _acquire(file):
            if not waited:
                on_wait()
                waited = True
            sleep(_LOOK_S)
        try:
            yield
        finally:
            _release(file)


if sys.platform == "win32":
    import msvcrt

    def _acquire(file: BinaryIO) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _release(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _acquire(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
