"""How a verb ends: done, one line about an error, or the name of what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..bench.exits import INTERRUPTED, one_line_errors
from ..engine.errors import BackendUnavailable

__all__ = ["INTERRUPTED", "needs", "one_line_errors"]


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Name the extra to install where an import of it fails."""
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"{error}; install it with: pip install 'depthrt[{extra}]'") from error
