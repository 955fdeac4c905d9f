"""The number of torch's threads, which belongs to the whole process: set while subjects run, and put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_BEFORE: list[int] = []  # threads before the first use_torch_threads, until they are put back


def use_torch_threads(count: int) -> None:
    """Set torch's threads; torch_threads_as_before puts back what they were before the first call."""
    import torch

    if not _BEFORE:
        _BEFORE.append(torch.get_num_threads())
    torch.set_num_threads(count)


@contextmanager
def torch_threads_as_before() -> Iterator[None]:
    """Put torch's threads back at the end, if use_torch_threads changed them inside."""
    inherited = bool(_BEFORE)  # a caller around this one puts them back
    try:
        yield
    finally:
        if _BEFORE and not inherited:
            sys.modules["torch"].set_num_threads(_BEFORE.pop())
