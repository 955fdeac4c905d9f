"""Cold starts: the time from no process to depth, in fresh processes that import, load and infer twice."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic_ns

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable
from ..numbers.result import ColdProcess, ColdStart, MemoryStep
from ..subjects.stage import StageResult, measure_each
from ..subjects.subject import Subject
from .nvml import open_nvml

PROCESSES = 3
TIMEOUT_S = 600.0  # torch.compile takes minutes on a slow machine
_FIRST_LINE = (
    "import time; first = time.monotonic_ns(); from depthrt.bench.machine.cold_child import run_child; run_child(first)"
)
_IN_CHILD = ("import_ms", "load_ms", "first_ms", "second_ms", "peak_rss_mib", "vram_mib")


@dataclass(frozen=True, slots=True)
class ColdRun:
    """Cold starts of one subject.

    Args:
        cold: Medians, and each process.
        vram_mib: The most GPU memory that a process held at its end; None without an NVIDIA GPU.
    """

    cold: ColdStart
    vram_mib: float | None


@dataclass(frozen=True, slots=True)
class _Started:
    """One process, and its memory by step."""

    process: ColdProcess
    memory: tuple[MemoryStep, ...]


def measure_cold_starts(
    subjects: Sequence[Subject],
    image: NDArray[np.uint8],
    *,
    processes: int = PROCESSES,
    on_subject: Callable[[str], None] = lambda name: None,
) -> StageResult[ColdRun]:
    """Measure the cold start of each subject; call it when this process holds no model.

    Args:
        subjects: Opened in fresh processes.
        image: (H, W, 3) uint8, BGR.
        processes: Of each subject.
        on_subject: Called with the name of each subject.
    """

    def measure(subject: Subject) -> ColdRun:
        on_subject(subject.name)
        return measure_cold_start(subject, image, processes=processes)

    return measure_each({subject.name: partial(measure, subject) for subject in subjects}, figure="cold start")


def measure_cold_start(
    subject: Subject, image: NDArray[np.uint8], *, processes: int = PROCESSES, timeout_s: float = TIMEOUT_S
) -> ColdRun:
    """Start a subject in several fresh processes, one after the other; return the medians.

    After the first process the files are in the system's cache, as on a machine that has run the program before.

    Args:
        subject: Opened in the processes, not here.
        image: (H, W, 3) uint8, BGR.
        processes: Number of processes.
        timeout_s: Of each.

    Raises:
        BackendUnavailable: A process failed; the message ends with the last line that it wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps((subject, image, open_nvml() is not None)))
        started = [_start(subject, job, timeout_s) for _ in range(processes)]
    each = tuple(start.process for start in started)
    cold = ColdStart(
        process_ms=median(process.process_ms for process in each),
        import_ms=median(process.import_ms for process in each),
        load_ms=median(process.load_ms for process in each),
        first_ms=median(process.first_ms for process in each),
        second_ms=median(process.second_ms for process in each),
        peak_rss_mib=median(process.peak_rss_mib for process in each),
        processes=processes,
        memory=tuple(_memory([start.memory for start in started])),
        each=each,
    )
    vram_mib = [process.vram_mib for process in each if process.vram_mib is not None]
    return ColdRun(cold, max(vram_mib, default=None))


def _memory(started: Sequence[Sequence[MemoryStep]]) -> Iterator[MemoryStep]:
    """Yield the medians of each step; nothing if a process could not read its memory."""
    if all(started):
        for steps in zip(*started, strict=True):
            rss_mib, files_mib = median(step.rss_mib for step in steps), median(step.files_mib for step in steps)
            yield MemoryStep(steps[0].step, rss_mib, files_mib)


def _start(subject: Subject, job: Path, timeout_s: float) -> _Started:
    """Run one process to its end."""
    command = [sys.executable, "-c", _FIRST_LINE, str(job), *subject.needs]
    start_ns = monotonic_ns()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=True)
    except subprocess.TimeoutExpired as error:
        raise BackendUnavailable(f"{subject.name} gave no depth within {timeout_s:g} s in a fresh process") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1]
        raise BackendUnavailable(f"{subject.name} fails in a fresh process: {last}") from error
    found = json.loads(done.stdout.splitlines()[-1])  # what cold_child wrote
    process_ms = (found["first_ns"] - start_ns) / 1e6
    process = ColdProcess(process_ms, **{name: found[name] for name in _IN_CHILD})
    return _Started(process, tuple(MemoryStep(step, *memory_mib) for step, memory_mib in found["memory_mib"].items()))
