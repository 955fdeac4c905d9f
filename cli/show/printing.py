"""The two ways to print a line: a result to standard output, talk to standard error."""

from __future__ import annotations

import sys

import click


def print_result(text: object) -> None:
    """Print to what standard output is now, which a progress bar may have replaced; what it cannot hold is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # None where standard output is closed
    click.echo(str(text).encode(encoding, "backslashreplace").decode(encoding), file=sys.stdout)


def say(text: str) -> None:
    """Print a line of talk."""
    click.echo(text, file=sys.stderr)
