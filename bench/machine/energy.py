"""Energy of an inference, from the counters of the CPU package (RAPL) or of the GPU (NVML)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable
from ..numbers.result import Energy, EnergySource
from ..subjects.stage import StageResult, measure_each
from ..subjects.subject import CPU_PROVIDERS, Opened
from .nvml import open_nvml

RAPL: EnergySource = "RAPL package"
NVML: EnergySource = "NVML"
_READS, _READ_AGAIN_S = 3, 0.05  # a busy driver refuses a reading now and then
MEASURE_S = 5.0  # RAPL counts every millisecond and NVML about every 100 ms: both are then below 2 % of it


@dataclass(frozen=True, slots=True)
class Meter:
    """A counter of energy.

    Args:
        source: As in result.Energy.
        joules: Returns the count now; it never falls. Raises BackendUnavailable if it cannot be read.
    """

    source: EnergySource
    joules: Callable[[], float]


def measure_energies(
    subjects: Sequence[Opened], image: NDArray[np.uint8], *, on_subject: Callable[[str], None] = lambda name: None
) -> StageResult[Energy]:
    """Measure the energy of an inference of each subject; nothing is found for a device without a counter.

    Args:
        subjects: Must stay open.
        image: (H, W, 3) uint8, BGR.
        on_subject: Called with the name of each subject that is measured.
    """

    def measure(opened: Opened) -> Energy | None:
        meter = find_meter(opened.model.runner.provider)
        if meter is None:
            return None
        on_subject(opened.subject.name)
        return measure_energy(partial(_infer, opened, image), meter)

    return measure_each({opened.subject.name: partial(measure, opened) for opened in subjects}, figure="energy")


def find_meter(provider: str, root: Path = Path("/")) -> Meter | None:
    """Return the counter of the device that a provider runs on; None if there is none or it may not be read.

    Args:
        provider: Of the runner.
        root: Folder that holds /sys.
    """
    return _rapl_meter(root) if provider in CPU_PROVIDERS else _nvml_meter()


def measure_energy(
    call: Callable[[], None], meter: Meter, *, least_s: float = MEASURE_S, clock: Callable[[], float] = perf_counter
) -> Energy:
    """Call repeatedly and divide the energy by the number of calls.

    Everything that the package or the GPU uses meanwhile is counted, its idle power included.

    Args:
        call: One inference, finished when it returns.
        meter: From find_meter.
        least_s: Calls go on for at least this long.
        clock: For tests; seconds.

    Raises:
        BackendUnavailable: The counter cannot be read, or it fell.
    """
    calls, start_joules, start = 0, meter.joules(), clock()
    while calls == 0 or clock() - start < least_s:
        call()
        calls += 1
    spent = meter.joules() - start_joules
    if not (math.isfinite(spent) and spent >= 0):
        raise BackendUnavailable(f"{meter.source} counts {spent:g} J, expected 0 or more; measure again")
    return Energy(spent / calls, meter.source)


def _infer(opened: Opened, image: NDArray[np.uint8]) -> None:
    opened.model.infer(image)
    opened.wait()


def _nvml_meter() -> Meter | None:
    gpu = open_nvml()
    if gpu is None or gpu.joules() is None:
        return None

    def joules() -> float:
        for _ in range(_READS):
            if (found := gpu.joules()) is not None:
                return found
            sleep(_READ_AGAIN_S)
        raise BackendUnavailable(f"NVML refused {_READS} readings of the energy; measure again")

    return Meter(NVML, joules)


def _rapl_meter(root: Path) -> Meter | None:
    """Return a meter over all packages; on most systems only root may read the counters."""
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
    """One package's counter without its wrap-around; read it more often than it wraps (minutes)."""

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
