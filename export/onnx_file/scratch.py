"""A temporary folder; errors of the disk in it become one line."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...engine.errors import InputError


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a new folder that is removed at the end.

    Raises:
        InputError: The folder cannot be made, or a file in it cannot be written.
    """
    parent = ""
    try:
        parent = tempfile.gettempdir()
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as error:
        elsewhere = parent and error.filename is not None and not Path(str(error.filename)).is_relative_to(parent)
        if elsewhere or isinstance(error, BrokenPipeError):
            raise  # about another file that the block was reading, or a closed pipe
        raise InputError(
            f"temporary files cannot be written{f' to {parent}' if parent else ''}: {error.strerror or error}; "
            "make room there, or set TMPDIR to another folder"
        ) from error
