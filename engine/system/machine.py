"""The CPU and the installed runtimes of this machine, as parts of cache keys."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..version import __version__

# Distributions whose arithmetic decides what is fast and how far it drifts.
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "openvino")
# Lines of /proc/cpuinfo that identify a CPU, on x86 and on ARM; others, such as the clock, change by the second.
CPU_LINES = (
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
    "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
)  # fmt: skip
# Switches that hide instruction sets from the runtimes. Source: oneDNN, "CPU Dispatcher Control".
ISA_SWITCHES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_VNNI = {"avx512_vnni", "avx_vnni", "amx_int8"}
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """What a remembered tuning or verdict depends on, besides its model file.

    Args:
        cpu: As describe_cpu returns it.
        versions: As runtime_versions returns them.
    """

    cpu: Mapping[str, str]
    versions: Mapping[str, str]

    def key(self) -> dict[str, object]:
        """Return the machine as a part of a cache key."""
        return asdict(self)


def read_machine() -> Machine:
    """Read /proc/cpuinfo and the installed versions."""
    return Machine(describe_cpu(), runtime_versions())


def describe_cpu(cpuinfo: Path = _CPUINFO) -> dict[str, str]:
    """Return the CPU's name, a hash of its features, and the switches that hide some of them.

    Args:
        cpuinfo: Linux's file. Without it, only Python's name of the processor is known.
    """
    found = {name: value for name, value in read_fields(cpuinfo).items() if name in CPU_LINES}
    features = " ".join(sorted((found.pop("flags", "") + found.pop("Features", "")).split()))
    identity = f"{sorted(found.items())} {features} {platform.machine()}"
    switches = {name: os.environ[name] for name in ISA_SWITCHES if name in os.environ}
    return {
        "name": found.get("model name") or platform.processor() or platform.machine(),
        "features_sha256": hashlib.sha256(identity.encode()).hexdigest(),
        **switches,
    }


def lacks_vnni(cpuinfo: Path = _CPUINFO) -> bool:
    """Return whether this is an x86 CPU without the instructions that sum products of int8 in 32 bits."""
    flags = set(read_fields(cpuinfo).get("flags", "").split())
    return bool(flags) and not flags & _VNNI


def read_fields(path: Path) -> dict[str, str]:
    """Return the `name : value` lines of a file of /proc up to the first empty line; {} if it cannot be read.

    In /proc/cpuinfo these are the lines of the first core: the other cores repeat them, and a server has hundreds.
    """
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                name, colon, value = line.partition(":")
                if not colon:
                    break
                found.setdefault(name.strip(), value.strip())
    except OSError:
        return {}
    return found


def runtime_versions() -> dict[str, str]:
    """Return the versions of depthrt and of the runtimes that are installed, without importing them."""
    return {"depthrt": __version__, **{name: found for name in RUNTIMES if (found := _version(name))}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
