"""How many cores this process may use: the smaller of its affinity and its container's CPU quota.

Not psutil: it has no quotas of control groups, which are most of this file, and takes 27 ms to import, where this file
takes 4 (loading the default model takes 150).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

_ROOT = Path("/")


def usable_cores(*, root: Path = _ROOT) -> int:
    """Return how many threads this process can run at once; a machine can have more cores.

    Args:
        root: Folder that holds proc/ and sys/; tests give their own.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota_cores(root) or allowed)


def _quota_cores(root: Path) -> int | None:
    """Return the smallest CPU quota of this process's control groups in whole cores, or None without a quota."""
    quotas = [quota for folder in _group_folders(root) if (quota := _quota_of(folder)) is not None]
    return max(1, ceil(min(quotas))) if quotas else None  # part of a core still runs a thread


def _group_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's CPU control groups, each followed by its parents."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers == "":
            mount = root / "sys/fs/cgroup"  # version 2: one tree for all controllers
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        parts = [part for part in group.split("/") if part not in ("", "..")]
        # A container may see the host's name of its group; that folder exists only on the host, the mount in both.
        yield from (mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def _quota_of(folder: Path) -> float | None:
    """Return the quota of a control group in cores, or None without a quota."""
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")  # version 2: "max 100000" or "150000 100000"
    if not period:
        quota, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or the file is missing
        return None
    return cores if cores > 0 else None  # version 1 writes -1 for no quota


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
