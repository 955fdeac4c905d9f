"""Times of two reports that share a reference are judged by what they changed beyond the reference's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_report import BF16, EAGER, FP32, make_latency, make_report

from depthrt.bench.compare import Outcome, compare
from depthrt.bench.result import Report

CONDITIONS = ("p50>+5%", "kernel.p50>+5%", "host.p90>+9%")
SEEDS = range(4)


def wandered(report: Report, factor: float) -> Report:
    """Return the report of a machine whose every call takes longer by a factor."""
    subjects = []
    for subject in report.subjects:
        latency = tuple(
            make_latency(one.scope, [ms * factor for ms in one.samples_ms]) if one.scope != "rate" else one
            for one in subject.latency
        )
        subjects.append(replace(subject, latency=latency))
    return replace(report, subjects=tuple(subjects))


def outcomes(before: Report, after: Report) -> dict[tuple[str, str], Outcome]:
    return {(one.subject, one.condition): one for one in compare(before, after, CONDITIONS).outcomes}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_machine_that_wanders_raises_no_alarm_and_it_is_said(seed: int) -> None:
    before, after = make_report(seed), wandered(make_report(seed + 30), 1.2)
    assert not compare(before, after, CONDITIONS).failed
    for name in (BF16, FP32, EAGER):
        assert outcomes(before, after)[name, "p50>+5%"].state == "unclear"
    assert "beyond the reference, whose own time changed by +" in outcomes(before, after)[BF16, "p50>+5%"].reason
    assert "it is the reference, whose time tells of the machine" in outcomes(before, after)[EAGER, "p50>+5%"].reason


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("machine", [0.85, 1.2])
def test_a_subject_that_slows_down_is_caught_whatever_the_machine_does(seed: int, machine: float) -> None:
    before, after = make_report(seed), wandered(make_report(seed + 30, slower=1.15), machine)
    failed = {one.subject for one in compare(before, after, CONDITIONS[:2]).failed}
    assert failed == {BF16}


def test_a_slower_tail_is_caught_beside_a_reference_that_kept_its_own() -> None:
    before, after = make_report(1), make_report(2)

    def heavy(samples_ms: tuple[float, ...]) -> list[float]:
        return [ms * (1.6 if at % 4 == 0 else 1.0) for at, ms in enumerate(samples_ms)]

    subjects = [
        replace(one, latency=tuple(make_latency(part.scope, heavy(part.samples_ms)) for part in one.latency[:3]))
        if one.name == BF16
        else one
        for one in after.subjects
    ]
    found = outcomes(before, replace(after, subjects=tuple(subjects)))
    assert found[BF16, "host.p90>+9%"].state == "failed"
    assert found[FP32, "host.p90>+9%"].state != "failed"


def test_without_a_shared_reference_the_clock_decides() -> None:
    before, after = make_report(1, only=(BF16, EAGER)), wandered(make_report(2, only=(BF16, EAGER)), 1.2)
    other = replace(after, reference=BF16)
    assert compare(before, after, CONDITIONS).exit_code == 0
    assert {one.subject for one in compare(before, other, CONDITIONS).failed} == {BF16, EAGER}
