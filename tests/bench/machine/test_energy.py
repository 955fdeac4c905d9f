"""Energy of an inference: counters that wrap around, and the division by calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.bench.machine.energy import NVML, RAPL, Meter, find_meter, measure_energy
from depthrt.engine.errors import BackendUnavailable


def write(root: Path, **files: str) -> Path:
    """Write files whose names have __ for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def rapl(root: Path, *, energy_uj: int) -> Path:
    return write(
        root,
        **{
            "sys__class__powercap__intel-rapl:0__name": "package-0\n",
            "sys__class__powercap__intel-rapl:0__energy_uj": f"{energy_uj}\n",
            "sys__class__powercap__intel-rapl:0__max_energy_range_uj": "10000000\n",
            "sys__class__powercap__intel-rapl:0:0__name": "core\n",
            "sys__class__powercap__intel-rapl:0:0__energy_uj": "1\n",
        },
    )


def test_the_packages_counter_is_read_past_its_wrap_around(tmp_path: Path) -> None:
    meter = find_meter("CPUExecutionProvider", rapl(tmp_path, energy_uj=9_000_000))
    assert meter is not None and meter.source == RAPL and meter.joules() == 0
    rapl(tmp_path, energy_uj=9_500_000)
    assert meter.joules() == pytest.approx(0.5)
    rapl(tmp_path, energy_uj=1_500_000)
    assert meter.joules() == pytest.approx(0.5 + 2)


def test_without_a_counter_there_is_no_figure(tmp_path: Path) -> None:
    assert find_meter("CPUExecutionProvider", tmp_path) is None


def test_energy_is_shared_among_the_calls() -> None:
    now = {"s": 0.0, "calls": 0}

    def call() -> None:
        now["s"] += 0.5
        now["calls"] += 1

    found = measure_energy(call, Meter(RAPL, lambda: 30 * now["s"]), least_s=5.0, clock=lambda: now["s"])
    assert (found.joules, found.source, now["calls"]) == (15.0, RAPL, 10)
    assert measure_energy(call, Meter(NVML, lambda: 30 * now["s"]), least_s=0, clock=lambda: now["s"]).joules == 15


def test_a_counter_that_stands_still_counts_nothing() -> None:
    assert measure_energy(lambda: None, Meter(RAPL, lambda: 7.0), least_s=0).joules == 0


@pytest.mark.parametrize("fallen_to", [6.0, float("nan")])
def test_a_counter_that_falls_is_refused(fallen_to: float) -> None:
    counted = iter((7.0, fallen_to))
    with pytest.raises(BackendUnavailable, match=r"RAPL package counts \S+ J, expected 0 or more; measure again"):
        measure_energy(lambda: None, Meter(RAPL, lambda: next(counted)), least_s=0)
