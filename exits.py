"""How a verb or a measuring program, `python -m depthrt.bench.X`, ends: done, or one line about what is wrong."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import click

from .engine.errors import BackendUnavailable, DepthrtError, InputError

Options = ParamSpec("Options")
INTERRUPTED = 130  # exit code after Ctrl-C, as shells count it


def one_line_errors(handler: Callable[Options, None]) -> Callable[Options, None]:
    """Print a DepthrtError as one line and exit with 1, after Ctrl-C with 130; other errors are bugs and show all."""

    @wraps(handler)
    def wrapped(*arguments: Options.args, **options: Options.kwargs) -> None:
        try:
            handler(*arguments, **options)
        except DepthrtError as error:
            click.echo(f"error: {error}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE or not _is_of_echo(error):
                raise  # click knows a pipe that was closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries again while it ends
            click.echo(f"error: standard output cannot be written: {error.strerror}; free the disk", err=True)
            sys.exit(1)

    return wrapped


def _is_of_echo(error: OSError) -> bool:
    """Return whether it was click.echo that failed, and no work on other files."""
    return traceback.extract_tb(error.__traceback__)[-1].filename == click.utils.__file__


def read_numbers(text: str, separator: str, *, example: str) -> tuple[int, ...]:
    """Return the positive whole numbers of a text.

    Raises:
        InputError: Something else stands there.
    """
    parts = [part.strip() for part in text.split(separator)]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InputError(f"{text!r} found, expected positive whole numbers such as {example}")
    return tuple(map(int, parts))


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra to install where an import of it fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error
