"""Two reports compared: noise raises no alarm, a planted change does, and every other difference is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from compared_reports import run_of, states, with_p50, with_subject
from made_report import BF16, MADE

from depthrt.bench.compare.compare import compare
from depthrt.bench.numbers.result import Interval
from depthrt.bench.report.markdown import comparison_to_markdown
from depthrt.engine.errors import InputError

GATE = ("p50>+5%", "kernel.p50>+5%", "host.p90>+10%", "drift>0.5%", "drift>+0.1%", "abs_rel>+0.01", "rss>+50MiB")
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_runs_of_the_same_raise_no_alarm(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 1), GATE)
    assert not comparison.failed
    assert comparison.exit_code == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slow_down_of_10_percent_is_caught(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 100, slower=1.1), GATE)
    assert states(comparison)["p50>+5%"] == states(comparison)["kernel.p50>+5%"] == "failed"
    assert comparison.exit_code == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_drift_of_1_percent_is_caught(seed: int) -> None:
    comparison = compare(run_of(seed), run_of(seed + 1, drift=0.01), GATE)
    assert [check.condition for check in comparison.failed] == ["drift>0.5%", "drift>+0.1%"]


def test_a_gain_is_no_alarm_and_is_shown_as_clear() -> None:
    comparison = compare(run_of(0), run_of(1, slower=0.8), GATE)
    assert not comparison.failed
    host = next(one for one in comparison.changes if one.figure.name == "host.p50")
    assert host.clear
    assert host.relative.high < -0.15


def test_reports_without_a_common_subject_are_refused() -> None:
    other = with_subject(run_of(0), replace(run_of(0).subjects[0], name="other.onnx"))
    with pytest.raises(InputError, match="at least one name in both"):
        compare(run_of(0), other)


@pytest.mark.parametrize("difference", [{"cpu": "Intel Xeon"}, {"cores": 4}, {"gpu": "NVIDIA L4"}])
def test_another_machine_is_refused_unless_it_is_asked_for(difference: Mapping[str, object]) -> None:
    machine = replace(run_of(1).machine, **difference)  # type: ignore[arg-type]
    elsewhere = replace(run_of(1), machine=machine)
    with pytest.raises(InputError, match=f"different machines .{next(iter(difference))} .* --across-machines"):
        compare(run_of(0), elsewhere)
    comparison = compare(run_of(0), elsewhere, across_machines=True)
    assert any(note.startswith("machine: ") for note in comparison.notes)


def test_other_versions_and_settings_are_noted() -> None:
    made = replace(MADE, versions={**MADE.versions, "onnxruntime": "1.25.0"}, settings={**MADE.settings, "rounds": "3"})
    comparison = compare(run_of(0), replace(run_of(1), made=made))
    assert "version of onnxruntime: 1.24.1 -> 1.25.0" in comparison.notes
    assert "setting rounds: 30 -> 3" in comparison.notes


def test_the_text_says_what_failed_and_by_how_much() -> None:
    before = with_p50(run_of(0), Interval(100, 99, 101))
    after = with_p50(run_of(0), Interval(110, 109, 111))
    comparison = compare(before, after, ["p50>+5%"])
    lines = list(comparison.lines())
    assert lines[0] == BF16
    failed = next(line for line in lines if line.startswith("failed: "))
    assert failed.startswith(f"failed: p50>+5% for {BF16}: host p50 100 ms -> 110 ms: +10.0 % (95 % +8.")
    assert lines[-1] == "1 of 1 checks failed"
    assert "**1 of 1 checks failed**" in comparison_to_markdown(comparison)
    assert "p50\\>+5%" in comparison_to_markdown(comparison)
