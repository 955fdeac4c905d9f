"""The benchmark's own check: it plants what it says, hears it, and counts rightly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from made_report import make_report
from numpy.typing import NDArray
from tiny_model import TinyModel

from depthrt.bench.numbers.result import Interval, Report
from depthrt.bench.self_check import OFF, Altered, PlantedRun, judge_run, main, summarise
from depthrt.engine.errors import DepthrtError
from depthrt.engine.terms import Precision

ANSWER = np.linspace(1, 3, 12, dtype=np.float32).reshape(1, 3, 4)


class Fixed:
    name, provider, notes = "fixed", "cpu", ("a note",)
    precision: Precision = "fp32"
    closed = False

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return ANSWER

    def close(self) -> None:
        self.closed = True


def trial(planted: str, *failed: str, grown: float = 0.0, half: float = 0.01, clock: float = 0.0) -> PlantedRun:
    return PlantedRun(planted, clock, Interval(grown, grown - half, grown + half), failed, 1.0)  # type: ignore[arg-type]


def of_one(report: Report) -> Report:
    """Return a report of a subject and the reference after it, as the check makes them."""
    reference, subject = report.subjects[:2]
    return replace(report, subjects=(replace(subject, speed=Interval(2, 1.98, 2.02)), reference))


def test_what_is_planted_is_what_it_says() -> None:
    batch = np.zeros((1, 3, 3, 4), np.float32)
    off = Altered(Fixed(), "off").run(batch) - ANSWER
    assert np.allclose(off, OFF * 2, atol=1e-6)
    fixed = Fixed()
    slower = Altered(fixed, "slower")
    assert np.array_equal(slower.run(batch), ANSWER)
    slower.close()
    assert fixed.closed and slower.notes == ("a note",)


def test_the_same_twice_is_compared_with_the_reference_and_by_the_clock() -> None:
    found = judge_run(of_one(make_report(1)), of_one(make_report(2)), "nothing", 3.0)
    assert found.beyond.low < found.beyond.value < found.beyond.high
    assert found.failed == () and found.took_s == 3.0


def test_a_subject_that_failed_ends_the_check() -> None:
    report = of_one(make_report(1))
    broken = replace(
        report, subjects=(replace(report.subjects[0], latency=(), failure="no memory"), report.subjects[-1])
    )
    with pytest.raises(DepthrtError, match="was not measured: no memory"):
        judge_run(report, broken, "nothing", 1.0)


def test_counts_are_of_what_was_planted() -> None:
    found = summarise(
        [
            trial("nothing", clock=0.1),
            trial("nothing", "p50>+3%", grown=0.04),
            trial("slower", "p50>+3%", "speed<-3%"),
            trial("slower", "speed<-3%"),
            trial("off"),
        ]
    )
    assert found["p50>+3%"] == "caught 1 of 2, false alarms 1 of 2"
    assert found["speed<-3%"] == "caught 2 of 2, false alarms 0 of 2"
    assert found["drift>+0.5%"] == "caught 0 of 1, false alarms 0 of 2"
    assert found["p50 of unchanged runs"] == "within 3 %: 1 of 2; within 3 % or its interval holds 0: 1"
    assert found["the machine"] == "within 3 % by the clock: 1 of 2"


def test_the_whole_check_hears_a_drift_that_was_planted(tiny: TinyModel, tmp_path: Path) -> None:
    options = ["--clean", "0", "--slower", "0", "--off", "1", "--rounds", "2"]
    found = CliRunner().invoke(main, [str(tiny.onnx), "-o", str(tmp_path / "out.json"), *options])
    assert found.exit_code == 0, found.output
    result = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert result["found"]["drift>+0.5%"] == "caught 1 of 1, false alarms 0 of 0"
    assert result["trials"][0]["planted"] == "off"
