"""The machine and the versions of a run, and what disturbed the machine meanwhile.

psutil 7.2 was measured, here and in cold_child.py. It would save 9 lines of 200, the counters of /proc/stat. It knows
neither the peak memory of a process nor governors and throttling. It would add 1.7 MiB and 14 ms to each cold start,
and `depthrt tune` would need it beyond the extra `cpu`. Only Linux reports disturbances without it.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...engine.system.cores import usable_cores
from ...engine.system.machine import read_fields
from ...engine.version import __version__
from ..numbers.result import Machine, Made
from .nvml import open_nvml

SOURCE_TREE = Path(__file__).resolve().parents[2]
CPU_FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8", "asimd", "bf16")
# Distributions by their module; a module that was imported took part. The first installed distribution counts.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "numpy": ("numpy",),
    "cv2": ("opencv-python-headless", "opencv-python"),
    "onnxruntime": ("onnxruntime-gpu", "onnxruntime"),
    "openvino": ("openvino",),
    "torch": ("torch",),
    "tensorrt": ("tensorrt",),
    "tensorrt_rtx": ("tensorrt-rtx",),
    "pycuda": ("pycuda",),
}

# Shares and ratios that disturb a run. An idle machine stays well below each.
LOAD_SHARE = 0.25  # load average over cores, before the run
STEAL_SHARE = 0.01  # of all core time, taken by other virtual machines
OTHERS_SHARE = 0.05  # of all core time, used by other processes
CLOCK_DROP = 0.9  # mean clock afterwards over before


@dataclass(frozen=True, slots=True)
class State:
    """The machine's counters at one moment; an unknown counter is 0.

    Args:
        busy_s, total_s: Core time since the machine started; the total includes idle time.
        steal_s: Core time that the host of this virtual machine gave to others.
        own_s: Core time of this process and of its ended children.
        throttled: Number of times that cores were slowed because of heat.
        clock_mhz: Mean over cores.
    """

    busy_s: float
    total_s: float
    steal_s: float
    own_s: float
    throttled: int
    clock_mhz: float


def describe_machine(root: Path = Path("/")) -> Machine:
    """Return the facts of this machine.

    Args:
        root: Folder that holds /proc and /sys.
    """
    cpuinfo = read_fields(root / "proc/cpuinfo")
    flags = set((cpuinfo.get("flags") or cpuinfo.get("Features", "")).split())
    gpu = open_nvml()
    return Machine(
        cpu=cpuinfo.get("model name") or platform.processor() or platform.machine(),
        cores=usable_cores(),
        cpu_features=tuple(name for name in CPU_FEATURES if name in flags),
        memory_mib=int(read_fields(root / "proc/meminfo").get("MemTotal", "0 kB").split()[0]) // 1024,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        gpu=gpu.name if gpu else "",
        driver=gpu.driver if gpu else "",
        power=_power(root),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def describe_run(command: str, settings: Mapping[str, str], *, started: datetime, took_s: float) -> Made:
    """Return how the figures were made; call it last, after every package has been imported.

    Args:
        command: As typed.
        settings: What the user can choose.
        started: With its time zone.
        took_s: Of the whole run.
    """
    return Made(
        command=command,
        commit=_commit(SOURCE_TREE),
        versions=_versions(),
        started=started.astimezone(timezone.utc).isoformat(timespec="seconds"),
        took_s=took_s,
        settings=dict(settings),
    )


def read_state(root: Path = Path("/")) -> State:
    """Return the machine's counters now."""
    busy_s, total_s, steal_s = _core_times(root)
    own = os.times()
    throttled = sum(map(_number, root.glob("sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")))
    clocks_khz = [_number(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    clock_mhz = sum(clocks_khz) / len(clocks_khz) / 1000 if clocks_khz else 0.0
    own_s = own.user + own.system + own.children_user + own.children_system
    return State(busy_s, total_s, steal_s, own_s, throttled, clock_mhz)


def find_disturbances(machine: Machine, before: State, after: State) -> tuple[str, ...]:
    """Return what a reader must know before the figures, one sentence each; nothing for a calm machine."""
    found = []
    if machine.load > LOAD_SHARE * machine.cores:
        found.append(f"The machine was busy before the run: load {machine.load:.1f} on {machine.cores} cores.")
    total_s = after.total_s - before.total_s
    if total_s > 0:
        steal_s, own_s = after.steal_s - before.steal_s, after.own_s - before.own_s
        others = max(0.0, after.busy_s - before.busy_s - own_s) / total_s
        if steal_s / total_s > STEAL_SHARE:
            found.append(f"Other virtual machines on the same host took {steal_s / total_s:.1%} of the core time.")
        if others > OTHERS_SHARE:
            found.append(f"Other processes used {others:.0%} of the core time during the run.")
    if after.throttled > before.throttled:
        found.append(f"Cores were slowed because of heat {after.throttled - before.throttled} times.")
    if 0 < after.clock_mhz < CLOCK_DROP * before.clock_mhz:
        found.append(f"The clock fell from {before.clock_mhz:.0f} to {after.clock_mhz:.0f} MHz during the run.")
    return tuple(found)


def _core_times(root: Path) -> tuple[float, float, float]:
    """Return (busy, total, stolen) core seconds; stolen time is part of the total and not of the busy time."""
    first = next(iter(_text(root / "proc/stat").splitlines()), "")
    if not first:
        return 0.0, 0.0, 0.0
    # Source: proc_stat(5): user nice system idle iowait irq softirq steal; guest time is within user's.
    ticks = [int(text) for text in first.split()[1:9]] + [0] * 8
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return (user + nice + system + irq + softirq) * tick_s, sum(ticks[:8]) * tick_s, steal * tick_s


def _power(root: Path) -> str:
    """Return the scaling governors in use, and whether a battery feeds the machine."""
    found = {_text(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")} - {""}
    governors = [f"governor {name}" for name in sorted(found)]
    states = {_text(path) for path in root.glob("sys/class/power_supply/BAT*/status")}
    return ", ".join(governors + (["on battery"] if "Discharging" in states else []))


def _commit(tree: Path) -> str:
    """Return git's commit of a source tree, with "+changes" if files differ; "" outside a source tree."""
    if not (tree / ".git").exists():  # an installed package can lie inside another repository
        return ""
    try:
        head, status = (
            subprocess.run(["git", "-C", str(tree), *words], capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+changes" if status else "")


def _versions() -> dict[str, str]:
    versions = {"depthrt": __version__, "python": platform.python_version()}
    for module, names in DISTRIBUTIONS.items():
        if module not in sys.modules:
            continue
        for name in names:
            try:
                versions[name] = version(name)
                break
            except PackageNotFoundError:
                continue
    return versions


def _text(path: Path) -> str:
    """Return the text of a file, "" if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdigit() else 0
