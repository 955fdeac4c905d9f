"""How a verb, or a program such as `python -m depthrt.bench.cpu`, ends: done, or one line about what is wrong."""

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
from .engine.system.printable import printable

Options = ParamSpec("Options")
INTERRUPTED = 130  # exit code after Ctrl-C, as shells count it


def one_line_errors(handler: Callable[Options, None]) -> Callable[Options, None]:
    """Print a DepthrtError as one line and exit with 1; exit with 130 after Ctrl-C; let bugs show their traceback."""

    @wraps(handler)
    def wrapped(*arguments: Options.args, **options: Options.kwargs) -> None:
        try:
            handler(*arguments, **options)
        except DepthrtError as error:
            click.echo(f"error: {printable(error)}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE or not _is_of_echo(error):
                raise  # click handles a closed pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python writes again when it ends
            click.echo(f"error: standard output cannot be written: {error.strerror}; free the disk", err=True)
            sys.exit(1)

    return wrapped


def _is_of_echo(error: OSError) -> bool:
    """Return whether click.echo raised the error, rather than work on another file."""
    return traceback.extract_tb(error.__traceback__)[-1].filename == click.utils.__file__


def read_numbers(text: str, separator: str, *, example: str) -> tuple[int, ...]:
    """Return the positive whole numbers of a text.

    Raises:
        InputError: A part is not a positive whole number.
    """
    parts = [part.strip() for part in text.split(separator)]
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InputError(f"{text!r} found, expected positive whole numbers such as {example}")
    return tuple(map(int, parts))


@contextmanager
def ends_at_once(line: str) -> Iterator[None]:
    """Print a line after Ctrl-C and end the process without its clean-up.

    For libraries that leave threads behind: those of TensorRT log to Python and crash while it cleans up.
    """
    try:
        yield
    except KeyboardInterrupt:
        click.echo(printable(line), err=True)
        sys.stdout.flush()
        os._exit(INTERRUPTED)


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra to install if an import in the block fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error
