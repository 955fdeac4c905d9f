from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from depthrt.engine.system.cores import usable_cores

ALLOWED = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(root: Path, group: str, files: dict[str, str]) -> Path:
    """Make the files that the kernel shows: the process's groups and the limits of each."""
    for name, text in {"proc/self/cgroup": group, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, ALLOWED),
        ({"cpu.max": "max 100000\n"}, ALLOWED),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "100001 100000\n"}, min(2, ALLOWED)),
        ({"cpu.max": "6400000 100000\n"}, min(64, ALLOWED)),
        ({"cpu.max": "50000 100000\n", "app/cpu.max": "max 100000\n"}, 1),
        ({"cpu.max": "max 100000\n", "app/cpu.max": "1000 100000\n"}, 1),
        ({"cpu.max": "nonsense\n"}, ALLOWED),
        ({"cpu.max": "1000 0\n"}, ALLOWED),
    ],
)
def test_a_containers_quota_bounds_the_cores_rounded_up(tmp_path: Path, files: dict[str, str], cores: int) -> None:
    root = machine(tmp_path, "0::/app\n", {f"sys/fs/cgroup/{name}": text for name, text in files.items()})
    assert usable_cores(root=root) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", ALLOWED), ("100000", 1), ("20000", 1)])
def test_an_older_kernels_quota_counts_too(tmp_path: Path, quota: str, cores: int) -> None:
    files = {"sys/fs/cgroup/cpu/app/cpu.cfs_quota_us": quota, "sys/fs/cgroup/cpu/app/cpu.cfs_period_us": "100000"}
    assert usable_cores(root=machine(tmp_path, "4:memory:/other\n3:cpuacct,cpu:/app\n", files)) == cores


def test_a_group_that_is_named_as_the_host_sees_it_is_found_at_the_mount(tmp_path: Path) -> None:
    files = {"sys/fs/cgroup/cpu.max": "100000 100000\n"}
    assert usable_cores(root=machine(tmp_path, "0::/../docker/0123abcd\n", files)) == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_a_process_bound_to_one_core_has_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "from depthrt.engine.system.cores import usable_cores; print(usable_cores())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


def test_this_machine_has_a_core() -> None:
    assert 1 <= usable_cores() <= ALLOWED
