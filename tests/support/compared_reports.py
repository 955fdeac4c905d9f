"""Reports to compare, and the states of their checks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from made_report import BF16, make_report

from depthrt.bench.compare.compare import Comparison
from depthrt.bench.numbers.result import Interval, Report, SubjectResult


@cache
def run_of(seed: int, *, slower: float = 1.0, drift: float = 9.4e-4) -> Report:
    """Return a run of the bf16 subject alone."""
    return make_report(seed, slower=slower, drift=drift, only=(BF16,))


def with_subject(report: Report, subject: SubjectResult) -> Report:
    return replace(report, subjects=(subject,))


def with_p50(report: Report, p50_ms: Interval) -> Report:
    """Return a report whose only subject has this median from array to array."""
    subject = report.subjects[0]
    latency = tuple(replace(one, p50_ms=p50_ms) if one.scope == "host" else one for one in subject.latency)
    return with_subject(report, replace(subject, latency=latency))


def states(comparison: Comparison) -> dict[str, str]:
    return {check.condition: check.state for check in comparison.checks}


def exact(value: float) -> Interval:
    return Interval(value, value, value)
