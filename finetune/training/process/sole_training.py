"""One training at a time in a folder: a lock that ends with the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ....engine.errors import InputError
from ....engine.system.cache.lock import file_lock

LOCK_NAME = ".lock"  # a file that stays in the folder; the system frees it when the process ends


@contextmanager
def sole_training(directory: Path, *, holds: bool = True) -> Iterator[bool]:
    """Hold a folder while a training runs in it.

    Args:
        directory: The folder.
        holds: False in a process for which another one holds the folder.

    Yields:
        Whether it is held; a disk without locks cannot be.

    Raises:
        InputError: Another training runs in the folder.
    """

    def refuse() -> None:
        raise InputError(f"another training runs in {directory}; wait for its end, or choose another folder")

    if not holds:
        yield True
        return
    with ExitStack() as stack:
        locked = True
        try:
            stack.enter_context(file_lock(directory / LOCK_NAME, on_wait=refuse))
        except OSError:
            locked = False
        yield locked
