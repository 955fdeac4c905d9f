"""Numbers near zero in a training: they count as zero, which is faster, and only while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SMALLEST = 5e-324  # of float64


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Count denormal numbers as zero in this thread and those that it starts; the thread gets back what it had."""
    before = flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def flushes_denormals() -> bool:
    """Return whether this thread counts denormal numbers as zero."""
    return _SMALLEST * 1.0 == 0.0
