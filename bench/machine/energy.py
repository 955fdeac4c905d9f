"""Energy of one inference, from the counters of the CPU package (RAPL) or of the GPU (NVML)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ..numbers.result import Energy
from ..subjects.subject import CPU_PROVIDERS
from .nvml import open_nvml

RAPL = "RAPL package"
NVML = "NVML"
MEASURE_S = 5.0  # RAPL counts every millisecond and NVML about every 100 ms: both are then below 2 % of it


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter of energy.

    Args:
        source: As result.Energy has it.
        joules: Returns the count now; it never falls.
    """

    source: str
    joules: Callable[[], float]


def find_meter(provider: str, root: Path = Path("/")) -> Meter | None:
    """Return the counter for what a provider runs on; None where nothing counts or it may not be read.

    Args:
        provider: Of the runner.
        root: Where /sys stands.
    """
    return _rapl_meter(root) if provider in CPU_PROVIDERS else _nvml_meter()


def measure_energy(
    call: Callable[[], None], meter: Meter, *, least_s: float = MEASURE_S, clock: Callable[[], float] = perf_counter
) -> Energy:
    """Call again and again and share the energy among the calls.

    All that the package or the GPU uses meanwhile is counted, what it uses when idle included.

    Args:
        call: One inference, finished when it returns.
        meter: From find_meter.
        least_s: Calls go on so long.
    """
    calls, start_joules, start = 0, meter.joules(), clock()
    while calls == 0 or clock() - start < least_s:
        call()
        calls += 1
    return Energy((meter.joules() - start_joules) / calls, meter.source)


def _nvml_meter() -> Meter | None:
    gpu = open_nvml()
    if gpu is None or gpu.joules() is None:
        return None
    return Meter(NVML, lambda: gpu.joules() or 0.0)


def _rapl_meter(root: Path) -> Meter | None:
    """Return a meter over all packages; only root may read the counters on most systems."""
    zones = [path for path in sorted(root.glob("sys/class/powercap/intel-rapl:*")) if _is_package(path)]
    if not zones or not all(os.access(path / "energy_uj", os.R_OK) for path in zones):
        return None
    counters = [_Counter(path) for path in zones]
    return Meter(RAPL, lambda: sum(counter.joules() for counter in counters))


def _is_package(zone: Path) -> bool:
    try:
        return (zone / "name").read_text(encoding="ascii").startswith("package")
    except OSError:
        return False


class _Counter:
    """One package's counter, without its wrap-around; it must be read more often than it wraps (minutes)."""

    def __init__(self, zone: Path) -> None:
        self._zone = zone
        self._wraps_uj = self._read("max_energy_range_uj")
        self._last_uj = self._read("energy_uj")
        self._sum_uj = 0

    def joules(self) -> float:
        """Return the energy since the counter was made."""
        now_uj = self._read("energy_uj")
        step_uj = now_uj - self._last_uj
        self._sum_uj += step_uj if step_uj >= 0 else step_uj + self._wraps_uj
        self._last_uj = now_uj
        return self._sum_uj / 1e6

    def _read(self, name: str) -> int:
        return int((self._zone / name).read_text(encoding="ascii"))
