"""The ways to print: a result or a table to standard output, talk to standard error; no name reaches them raw."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from ...engine.system.escape import escaped

if TYPE_CHECKING:
    from rich.table import Table

PIPE_WIDTH = 140  # columns of a table that no terminal shows


def print_result(text: object, *, lines: bool = False) -> None:
    """Print to what standard output is now, which a progress bar may have replaced.

    Control characters, which a terminal would obey, and what the encoding cannot hold are escaped.

    Args:
        text: A path, a line or JSON.
        lines: Whether the text has several lines; otherwise a line break is part of a name.
    """
    click.echo(_held(escaped(text, keep="\n" if lines else ""), sys.stdout), file=sys.stdout)


def say(text: str) -> None:
    """Print a line of talk; what is escaped is as in print_result."""
    click.echo(_held(escaped(text), sys.stderr), file=sys.stderr)


def _held(text: str, stream: TextIO | None) -> str:
    """Return a text with escapes for what the encoding of a stream cannot hold."""
    encoding = getattr(stream, "encoding", None) or "utf-8"  # None where the stream is closed
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def log_as_talk() -> Iterator[None]:
    """Print the warnings of the package as talk while the block runs."""
    import logging

    class Talk(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(self.format(record))

    logger, talk = logging.getLogger("depthrt"), Talk(logging.WARNING)
    logger.addHandler(talk)
    try:
        yield
    finally:
        logger.removeHandler(talk)


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal or as PIPE_WIDTH."""
    from rich.console import Console

    for column in table.columns:
        column._cells[:] = [escaped(cell) if isinstance(cell, str) else cell for cell in column._cells]
    for name in ("title", "caption"):
        if isinstance(getattr(table, name), str):
            setattr(table, name, escaped(getattr(table, name), keep="\n"))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
