"""The ways to print: a result or a table to standard output, talk to standard error; no name reaches them raw.

Everything becomes text before it is printed, and what the encoding of standard output lacks is replaced: a measurement
of an hour must not end in a UnicodeEncodeError.
"""

from __future__ import annotations

import io
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import click

from ...engine.system.escape import escaped

PIPE_WIDTH = 140  # columns of a table that no terminal shows
_PLAIN = {
    "×": "x",
    "–": "-",
    "δ": "delta",
    "·": "|",
    "→": "->",
    "…": "...",
    "\u00a0": " ",
}  # where an encoding lacks them
_INDENT = "    "  # of the lines after the first
_FRAME = 3  # columns of a cell's frame: a line and two blanks


class _Rendered(io.StringIO):
    """Text of a table, for an encoding: rich draws lines that the encoding has."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


def print_result(text: object, *, lines: bool = False) -> None:
    """Print to what standard output is now, which a progress bar may have replaced.

    Control characters, which a terminal would obey, and what the encoding cannot hold are escaped.

    Args:
        text: A path, a line or JSON.
        lines: Whether the text has several lines; otherwise a line break is part of a name.
    """
    click.echo(held(escaped(text, keep="\n" if lines else ""), sys.stdout), file=sys.stdout)


def say(text: str) -> None:
    """Print a line of talk; what is escaped is as in print_result."""
    click.echo(held(escaped(text), sys.stderr), file=sys.stderr)


def print_lines(lines: Iterable[str], *, further: str | None = None) -> None:
    """Print lines of words; a terminal gets them broken between words.

    Args:
        lines: Of words.
        further: What the next lines of a broken line begin with; None indents them more than the first.
    """
    width = table_width() if _is_terminal() else None
    for line in lines:
        for part in [_plain(line)] if width is None else _wrapped(_plain(line), width, further=further):
            print_result(part)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    note: str = "",
    words: Collection[str] = (),
    marked: int | None = None,
) -> None:
    """Print a table, as wide as the terminal or as PIPE_WIDTH; a block for each row if that is too narrow.

    Args:
        columns: Headings; the first column names the rows.
        rows: As many cells as columns.
        title: Lines above.
        note: Lines below.
        words: Headings of columns of words, which are aligned to the left; the first column is one.
        marked: Number of the row that is printed bold.
    """
    width = table_width()
    columns, rows = [*map(_plain, columns)], [[*map(_plain, row)] for row in rows]
    left = {columns[0], *map(_plain, words)}
    if title:
        print_result("\n".join(_wrapped(_plain(title), width, further="")), lines=True)
    widths = _column_widths(columns, rows, left, width)
    if widths is not None:
        click.echo(held(_table(columns, rows, left, widths, marked), sys.stdout), file=sys.stdout)  # bold is an escape
    else:
        print_result("\n".join(line for row in rows for line in _block(columns, row, width)), lines=True)
    if note:
        print_result("\n".join(_wrapped(_plain(note), width, further="")), lines=True)


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Collection[str],
    widths: Sequence[int],
    marked: int | None,
) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column, width in zip(columns, widths, strict=True):
        table.add_column(Text(column), justify="left" if column in left else "right", width=width)
    for number, row in enumerate(rows):
        table.add_row(*map(Text, row), style="bold" if number == marked else None)  # names may have brackets
    rendered = _Rendered(_encoding())
    Console(file=rendered, width=_total(widths), force_terminal=_is_terminal()).print(table)
    return rendered.getvalue().rstrip("\n")


def _column_widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], left: Collection[str], width: int
) -> list[int] | None:
    """Return the width of each column so that no word is broken; None if the table cannot be so narrow.

    Only columns of words become narrower, down to their longest word: a figure stays beside its unit.
    """
    from rich.cells import cell_len

    cells = [[column, *(row[at] for row in rows)] for at, column in enumerate(columns)]
    widths = [max(map(cell_len, column)) for column in cells]
    least = [
        max(cell_len(word) for cell in column for word in cell.split() or [""]) if column[0] in left else wide
        for column, wide in zip(cells, widths, strict=True)
    ]
    while _total(widths) > width:
        room = [wide - narrow for wide, narrow in zip(widths, least, strict=True)]
        if not any(room):
            return None
        widths[max(range(len(widths)), key=lambda at: (room[at] > 0, widths[at]))] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(width + _FRAME for width in widths) + 1


def _block(columns: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of a row that stands alone: its name, then a heading and its cell on each line."""
    yield from _wrapped(row[0], width)
    longest = max(map(len, columns[1:]), default=0)
    for column, cell in zip(columns[1:], row[1:], strict=True):
        if cell:
            yield from _wrapped(f"  {column:<{longest}}  {cell}".rstrip(), width, further=" " * (longest + 4))


def _wrapped(text: str, width: int, *, further: str | None = None) -> list[str]:
    """Return text in lines of at most a width, broken between words; a longer word has a line to itself.

    Args:
        text: One line.
        width: Columns.
        further: What the next lines begin with; None indents them more than the first.
    """
    if further is None:
        further = text[: len(text) - len(text.lstrip())] + _INDENT
    return textwrap.wrap(text, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False) or [""]


def _plain(text: str) -> str:
    """Return text in which control characters are escaped and signs that standard output lacks become letters."""
    encoding = _encoding()
    return "".join(_PLAIN.get(sign, sign) if not _holds(encoding, sign) else sign for sign in escaped(text))


def _holds(encoding: str, sign: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _encoding(stream: TextIO | None = None) -> str:
    """Return the encoding of a stream, standard output by default."""
    return getattr(stream or sys.stdout, "encoding", None) or "utf-8"  # None where the stream is closed


def held(text: str, stream: TextIO | None) -> str:
    """Return a text with escapes for what the encoding of a stream cannot hold."""
    encoding = _encoding(stream)
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


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def table_width() -> int:
    """Return the columns of the terminal, or PIPE_WIDTH."""
    return shutil.get_terminal_size().columns if _is_terminal() else PIPE_WIDTH
