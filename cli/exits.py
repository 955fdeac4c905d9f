"""How a verb ends: done, one line about an error, or the name of what to install."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import click

from ..engine.errors import BackendUnavailable, DepthrtError

INTERRUPTED = 130  # exit code after Ctrl-C, as shells count it

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


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra to install where an import of it fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error
