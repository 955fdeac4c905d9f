"""The facts of a machine, and what disturbs it during a run."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from depthrt.bench.machine import describe as machine_module
from depthrt.bench.machine.describe import State, describe_machine, describe_run, find_disturbances, read_state
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
