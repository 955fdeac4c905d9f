"""How a verb or a measuring program, `python -m depthrt.bench.X`, ends: done, or one line about what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from ..engine.errors import DepthrtError, InputError

Options = ParamSpec("Options")


def one_line_errors(handler: Callable[Options, None]) -> Callable[Options, None]:
    """Print a DepthrtError as one line and exit with 1; any other error is a bug and shows its traceback."""

    @wraps(handler)
    def wrapped(*arguments: Options.args, **options: Options.kwargs) -> None:
        try:
            handler(*arguments, **options)
        except DepthrtError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)

    return wrapped


def read_numbers(text: str, separator: str, *, example: str) -> tuple[int, ...]:
    """Return the positive whole numbers of a text.

    Raises:
        InputError: Something else stands there.
    """
    parts = [part.strip() for part in text.split(separator)]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InputError(f"{text!r} found, expected positive whole numbers such as {example}")
    return tuple(map(int, parts))
