from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from depthrt.bench.machine import describe as machine_module
from depthrt.bench.machine.describe import State, describe_machine, describe_run, find_disturbances, read_state
from depthrt.bench.machine.energy import NVML, RAPL, Meter, find_meter, measure_energy
from depthrt.bench.machine.nvml import first_gpu
from depthrt.bench.numbers.result import Machine

CALM = Machine("cpu", 4, (), 1024, "Linux", "", "", "", load=0.0)
BEFORE = State(busy_s=100, total_s=1000, steal_s=5, own_s=10, throttled=3, clock_mhz=3000)
TICKS = os.sysconf("SC_CLK_TCK")


def write(root: Path, **files: str) -> Path:
    """Write files whose names have __ for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_machine_is_read_from_what_the_kernel_tells(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        proc__cpuinfo="model name : A CPU: fast\nflags : fpu avx2 amx_bf16\n\nprocessor : 1\nflags : x\n",
        proc__meminfo="MemTotal:       2097152 kB\nMemFree: 1 kB\n",
        sys__devices__system__cpu__cpu0__cpufreq__scaling_governor="powersave\n",
        sys__devices__system__cpu__cpu1__cpufreq__scaling_governor="performance\n",
        sys__class__power_supply__BAT0__status="Discharging\n",
    )
    found = describe_machine(root)
    assert (found.cpu, found.memory_mib, found.cpu_features) == ("A CPU: fast", 2048, ("avx2", "amx_bf16"))
    assert found.power == "governor performance, governor powersave, on battery"


def test_what_a_kernel_does_not_tell_is_empty(tmp_path: Path) -> None:
    found = describe_machine(tmp_path)
    assert (found.memory_mib, found.cpu_features, found.power) == (0, (), "")
    assert found.cpu and found.cores >= 1 and found.system
    assert find_disturbances(CALM, read_state(tmp_path), read_state(tmp_path)) == ()


def test_this_machine_counts_forward() -> None:
    before = read_state()
    sum(range(2_000_000))
    after = read_state()
    assert after.total_s >= before.total_s >= before.busy_s > 0 and after.own_s > before.own_s


def test_the_kernels_counters_are_told_apart(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        # user nice system idle iowait irq softirq steal guest guest_nice; guest time is within user's
        proc__stat="cpu  "
        + " ".join(str(number * TICKS) for number in (10, 1, 5, 100, 4, 2, 3, 7, 9, 0))
        + "\ncpu0 1\n",
        sys__devices__system__cpu__cpu0__thermal_throttle__core_throttle_count="2\n",
        sys__devices__system__cpu__cpu1__thermal_throttle__core_throttle_count="3\n",
        sys__devices__system__cpu__cpu0__cpufreq__scaling_cur_freq="2000000\n",
        sys__devices__system__cpu__cpu1__cpufreq__scaling_cur_freq="3000000\n",
    )
    found = read_state(root)
    assert (found.busy_s, found.total_s, found.steal_s) == pytest.approx((21, 132, 7))
    assert (found.throttled, found.clock_mhz) == (5, 2500)


@pytest.mark.parametrize(
    ("machine", "after", "expected"),
    [
        (replace(CALM, load=1.5), BEFORE, "load 1.5 on 4 cores"),
        (CALM, replace(BEFORE, total_s=1100, steal_s=8), "took 3.0% of the core time"),
        (CALM, replace(BEFORE, total_s=1100, busy_s=160, own_s=40), "Other processes used 30% of the core time"),
        (CALM, replace(BEFORE, throttled=5), "slowed because of heat 2 times"),
        (CALM, replace(BEFORE, clock_mhz=2400), "fell from 3000 to 2400 MHz"),
    ],
)
def test_each_disturbance_is_one_sentence(machine: Machine, after: State, expected: str) -> None:
    (sentence,) = find_disturbances(machine, BEFORE, after)
    assert expected in sentence and sentence.endswith(".")


@pytest.mark.parametrize(
    "after",
    [
        replace(BEFORE, total_s=1100, busy_s=162, own_s=70),  # nearly all work was ours
        replace(BEFORE, total_s=1100, steal_s=5.5),
        replace(BEFORE, clock_mhz=2900),
        replace(BEFORE, clock_mhz=0),
    ],
)
def test_a_calm_run_has_no_warning(after: State) -> None:
    assert find_disturbances(CALM, BEFORE, after) == ()


def test_a_run_says_what_took_part_and_when() -> None:
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    made = describe_run("depthrt bench a.onnx", {"rounds": "30"}, started=started, took_s=1.5)
    assert (made.command, made.started, made.settings) == (
        "depthrt bench a.onnx", "2026-01-02T01:04:05+00:00", {"rounds": "30"},
    )  # fmt: skip
    assert {"depthrt", "python", "numpy"} <= set(made.versions) and "tensorrt" not in made.versions


def test_the_commit_says_whether_files_differ(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        options = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", "-C", str(tmp_path), *options, *words], check=True, capture_output=True, text=True
        ).stdout.strip()

    commit = machine_module._commit
    assert commit(tmp_path) == ""
    git("init")
    assert commit(tmp_path) == ""  # no commit yet
    git("commit", "--allow-empty", "-m", "first")
    assert commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "changed").write_text("x")
    assert commit(tmp_path) == git("rev-parse", "HEAD") + "+changes"
    (tmp_path / "installed").mkdir()
    assert commit(tmp_path / "installed") == ""  # inside a repository that is another's


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


class FakeNvml:
    """Answers as NVML does, by the pointers it is given."""

    def __init__(self, status: int = 0) -> None:
        self.status = status

    def __getattr__(self, name: str) -> Callable[..., int]:
        def answer(*arguments: object) -> int:
            for argument in arguments:
                pointed = getattr(argument, "_obj", None)  # of ctypes.byref
                if isinstance(pointed, ctypes.c_ulonglong):
                    pointed.value = 1234
                elif isinstance(pointed, ctypes.Structure):
                    pointed.used = 512 * 2**20
                elif isinstance(argument, ctypes.Array):
                    argument.value = b"NVIDIA H200" if "GetName" in name else b"999.1"
            return 0 if name.startswith(("nvmlInit", "nvmlDeviceGetHandle")) else self.status

        return answer


def test_a_gpu_is_read_through_nvml() -> None:
    gpu = first_gpu(FakeNvml())
    assert gpu is not None
    assert (gpu.name, gpu.driver, gpu.used_mib(), gpu.joules()) == ("NVIDIA H200", "999.1", 512, 1.234)


def test_what_nvml_refuses_is_empty() -> None:
    gpu = first_gpu(FakeNvml(status=3))  # NVML_ERROR_NOT_SUPPORTED
    assert gpu is not None
    assert (gpu.name, gpu.driver, gpu.used_mib(), gpu.joules()) == ("", "", None, None)
