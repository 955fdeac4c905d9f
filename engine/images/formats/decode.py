"""Encoded pictures in, OpenCV's arrays out, or None; OpenCV prints nothing of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_locks = [Lock()]  # one; a forked child gets its own
_loud: list[int] = []  # the user's log level, once for each thread that decodes


def decode(data: bytes, flags: int) -> NDArray[Any] | None:
    """Return what cv2.imdecode returns.

    Raises:
        cv2.error: OpenCV refuses the data.
    """
    with _quiet():
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return None if pixels is None else np.asarray(pixels)


def _after_fork() -> None:
    """Let go of what another thread held when this process was forked."""
    if _loud:
        cv2.utils.logging.setLogLevel(_loud[0])
    _loud.clear()
    _locks[0] = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence OpenCV's log, which belongs to the whole process, while any thread decodes."""
    with _locks[0]:
        _loud.append(_loud[0] if _loud else cv2.utils.logging.getLogLevel())
        cv2.utils.logging.setLogLevel(0)
    try:
        yield
    finally:
        with _locks[0]:
            level = _loud.pop()
            if not _loud:
                cv2.utils.logging.setLogLevel(level)
