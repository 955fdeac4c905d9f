"""The fresh process of a cold start: import, load, infer twice, and print the figures as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from time import monotonic_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a cold start counts every import
    import numpy as np
    from numpy.typing import NDArray

    from ..subjects.subject import Subject

    Job = tuple[Subject, NDArray[np.uint8], bool]  # what to open, (H, W, 3) uint8 BGR, whether a GPU can be asked

_STATUS = Path("/proc/self/status")


def run_child(first_ns: int) -> None:
    """Do the job that the command line names: a file with a Job, then modules to import.

    Args:
        first_ns: When Python ran its first line, by time.monotonic_ns, which all processes share.
    """
    from ...engine.system.process.telemetry import without_openvino_reports

    with without_openvino_reports():
        for module in ("depthrt.engine.model.depth_model", *sys.argv[2:]):
            import_module(module)
    import_ms = _ms_since(first_ns)
    subject, image, has_gpu = _read_job(Path(sys.argv[1]))
    before_mib = _gpu_used_mib() if has_gpu else None

    memory_mib = {"imports": _rss_mib()}
    start_ns = monotonic_ns()
    model = subject.open()
    load_ms = _ms_since(start_ns)
    memory_mib["load"] = _rss_mib()
    infer_ms = []
    for step in ("first image", "second image"):
        start_ns = monotonic_ns()
        model.infer(image)
        infer_ms.append(_ms_since(start_ns))
        memory_mib[step] = _rss_mib()

    after_mib = _gpu_used_mib() if has_gpu else None
    figures = {
        "first_ns": first_ns,
        "import_ms": import_ms,
        "load_ms": load_ms,
        "first_ms": infer_ms[0],
        "second_ms": infer_ms[1],
        "peak_rss_mib": peak_rss_mib(),
        "memory_mib": memory_mib if _STATUS.exists() else {},
        "vram_mib": None if before_mib is None or after_mib is None else max(0.0, after_mib - before_mib),
    }
    sys.stdout.write("\n" + json.dumps(figures) + "\n")


def peak_rss_mib() -> float:
    """Return the most memory that this process has had in RAM."""
    if _STATUS.exists():  # ru_maxrss would begin with the parent's
        return _status_mib("VmHWM")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def _rss_mib() -> tuple[float, float]:
    """Return this process's memory in RAM, and the pages of files within it; 0 if the system does not report them."""
    return (_status_mib("VmRSS"), _status_mib("RssFile")) if _STATUS.exists() else (0.0, 0.0)


def _status_mib(name: str) -> float:
    lines = _STATUS.read_text(encoding="utf-8", errors="replace").splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


def _read_job(path: Path) -> Job:
    import pickle

    job: Job = pickle.loads(path.read_bytes())  # written by the parent process
    return job


def _gpu_used_mib() -> float | None:
    from .nvml import open_nvml

    gpu = open_nvml()
    return gpu.used_mib() if gpu else None


def _ms_since(start_ns: int) -> float:
    return (monotonic_ns() - start_ns) / 1e6
