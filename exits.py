"""How a verb, or a program such as `python -m depthrt.bench.cpu`, ends: done, or one line about what is wrong."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import ParamSpec

import click

from .engine.errors import BackendUnavailable, DepthrtError, InputError
from .engine.system.escape import escaped
from .engine.system.process.signals import ends_by_signals, exit_code, signal_name, was_interrupted

Options = ParamSpec("Options")


def one_line_errors(handler: Callable[Options, None]) -> Callable[Options, None]:
    """Print a DepthrtError as one line and exit with 1; let bugs show their traceback.

    Ctrl-C, SIGTERM and SIGHUP end the handler alike; the exit code is then 130, 143 or 129.
    """

    @wraps(handler)
    def wrapped(*arguments: Options.args, **options: Options.kwargs) -> None:
        try:
            with ends_by_signals():
                handler(*arguments, **options)
        except DepthrtError as error:
            click.echo(f"error: {escaped(error)}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            _say_last(f"stopped by {signal_name()}")
            sys.exit(exit_code())
        except OSError as error:
            if was_interrupted():  # by a terminal that was closed, which takes no more lines
                sys.exit(exit_code())
            if error.errno == errno.EPIPE or not _is_of_echo(error):
                raise  # click handles a closed pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python writes again when it ends
            click.echo(f"error: standard output cannot be written: {error.strerror}; free the disk", err=True)
            sys.exit(1)

    return wrapped


def _is_of_echo(error: OSError) -> bool:
    """Return whether click.echo raised the error, rather than work on another file."""
    return traceback.extract_tb(error.__traceback__)[-1].filename == click.utils.__file__


@contextmanager
def names_unwritten(line: str) -> Iterator[None]:
    """Print a line on what was written, or was not, if an interrupt ends the block, and exit."""
    try:
        yield
    except KeyboardInterrupt:
        _say_last(f"stopped by {signal_name()}; {line}")
        sys.exit(exit_code())


def _say_last(line: str) -> None:
    """Print a line to standard error, which may be a terminal that was closed."""
    with suppress(OSError):
        click.echo(escaped(line), err=True)


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
    """As names_unwritten, and end the process without its clean-up.

    For libraries that leave threads behind: those of TensorRT log to Python and crash while it cleans up.
    """
    try:
        yield
    except KeyboardInterrupt:
        _say_last(f"stopped by {signal_name()}; {line}")
        with suppress(OSError):
            sys.stdout.flush()
        os._exit(exit_code())


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra to install if an import in the block fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error
