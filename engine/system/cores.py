"""How many cores this process may keep busy: what its affinity names and what its container grants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

_ROOT = Path("/")


def usable_cores(*, root: Path = _ROOT) -> int:
    """Return how many threads this process can run at once, which can be fewer than the machine has cores.

    Args:
        root: Where /proc and /sys stand.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota_cores(root) or allowed)


def _quota_cores(root: Path) -> int | None:
    """Return the smallest CPU quota of this process's control groups in whole cores, or None without one."""
    quotas = [quota for folder in _group_folders(root) if (quota := _quota_of(folder)) is not None]
    return max(1, ceil(min(quotas))) if quotas else None  # upwards: a share of a core is a core


def _group_folders(root: Path) -> Iterator[Path]:
    """Yield the folders of this process's CPU control groups, each followed by those above it."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controllers == "":
            mount = root / "sys/fs/cgroup"  # version 2: one tree for all
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup/cpu"
        else:
            continue
        parts = [part for part in group.split("/") if part not in ("", "..")]
        # Inside a container the group can be named as the host sees it, and only the mount itself is there.
        yield from (mount.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def _quota_of(folder: Path) -> float | None:
    """Return a control group's quota in cores, or None where it has none."""
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")  # version 2: "max 100000" or "150000 100000"
    if not period:
        quota, period = _text(folder / "cpu.cfs_quota_us").strip(), _text(folder / "cpu.cfs_period_us").strip()
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max", or no such file
        return None
    return cores if cores > 0 else None  # version 1 says -1 for none


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
