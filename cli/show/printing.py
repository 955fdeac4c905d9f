"""The ways to print: a result or a table to standard output, talk to standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

PIPE_WIDTH = 140  # columns of a table that no terminal shows


def print_result(text: object) -> None:
    """Print to what standard output is now, which a progress bar may have replaced; what it cannot hold is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # None where standard output is closed
    click.echo(str(text).encode(encoding, "backslashreplace").decode(encoding), file=sys.stdout)


def say(text: str) -> None:
    """Print a line of talk."""
    click.echo(text, file=sys.stderr)


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal or as PIPE_WIDTH."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
