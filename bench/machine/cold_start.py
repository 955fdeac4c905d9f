"""From a process that does not exist to depth: fresh processes that import, load and infer twice."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable
from ..numbers.result import ColdProcess, ColdStart, MemoryStep
from ..subjects.subject import Subject

PROCESSES = 3
TIMEOUT_S = 600.0  # torch.compile takes minutes on a slow machine
_FIRST_LINE = (
    "import time; first = time.monotonic_ns(); from depthrt.bench.machine.cold_child import run_child; run_child(first)"
)
_FIGURES = ("process_ms", "import_ms", "load_ms", "first_ms", "second_ms", "peak_rss_mib")


@dataclass(frozen=True, slots=True)
class ColdRun:
    """A cold start, and the most GPU memory that a process held at its end; None without an NVIDIA GPU."""

    cold: ColdStart
    vram_mib: float | None


def measure_cold_start(
    subject: Subject, image: NDArray[np.uint8], *, processes: int = PROCESSES, timeout_s: float = TIMEOUT_S
) -> ColdRun:
    """Start a subject in several fresh processes, one after the other; return the medians.

    Files are in the system's cache after the first, as on a machine that started the program before.

    Args:
        subject: Opened in the processes, not here.
        image: (H, W, 3) uint8, BGR.
        processes: How many.
        timeout_s: Of each.

    Raises:
        BackendUnavailable: A process failed; the message ends with the last line that it wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps((subject, image)))
        found = [_start(subject, job, timeout_s) for _ in range(processes)]
    medians = {name: median(one[name] for one in found) for name in _FIGURES}
    each = tuple(ColdProcess(**{name: one[name] for name in (*_FIGURES, "vram_mib")}) for one in found)
    cold = ColdStart(**medians, processes=processes, memory=tuple(_memory(found)), each=each)
    return ColdRun(cold, max((one.vram_mib for one in each if one.vram_mib is not None), default=None))


def _memory(found: Sequence[Mapping[str, Any]]) -> Iterator[MemoryStep]:
    """Give the medians of each step that every process told."""
    for step in found[0]["memory_mib"]:
        told = [one["memory_mib"][step] for one in found]
        if all(told):
            yield MemoryStep(step, *(median(figures) for figures in zip(*told, strict=True)))


def _start(subject: Subject, job: Path, timeout_s: float) -> Mapping[str, Any]:
    """Run one process; return its times and memory."""
    command = [sys.executable, "-c", _FIRST_LINE, str(job), *subject.needs]
    start_ns = monotonic_ns()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=True)
    except subprocess.TimeoutExpired as error:
        raise BackendUnavailable(f"{subject.name} gave no depth within {timeout_s:g} s in a fresh process") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        raise BackendUnavailable(f"{subject.name} fails in a fresh process: {last}") from error
    times: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**times, "process_ms": (times["first_ns"] - start_ns) / 1e6}
