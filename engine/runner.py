"""The Runner protocol, and the choice among runners for a file and a device."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .contract import Contract, Precision
from .errors import InputError

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")


@runtime_checkable
class Runner(Protocol):
    """One backend that holds one model file. `run` may be called from several threads."""

    name: str
    provider: str
    precision: Precision
    notes: tuple[str, ...]  # every fallback and compromise, one sentence each

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks."""

    def close(self) -> None:
        """Free what the runner holds; it cannot run afterwards."""


def open_runner(path: Path, contract: Contract, *, device: Device, threads: int | None) -> Runner:
    """Open the best runner for a model file.

    Raises:
        InputError: An unknown device or a thread count below one.
        BackendUnavailable: The device was asked for by name and does not work here.
    """
    if device not in DEVICES:
        raise InputError(f"device {device!r} found, expected one of {', '.join(DEVICES)}")
    if threads is not None and threads < 1:
        raise InputError(f"threads {threads} found, expected 1 or more")
    from .ort_runner import OrtRunner

    return OrtRunner(path, contract, device=device, threads=threads or usable_cores())


def usable_cores() -> int:
    """Return how many cores this process may run on, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
