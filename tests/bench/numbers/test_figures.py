"""Figures of a subject by name."""

from __future__ import annotations

from functools import cache

from made_report import (
    make_report,
)

from depthrt.bench.numbers.figures import latency_in
from depthrt.bench.numbers.result import Report


@cache
def whole() -> Report:
    return make_report()


def test_a_latency_is_found_by_its_scope() -> None:
    subject = whole().subjects[0]
    assert [found.scope for scope in ("host", "rate") if (found := latency_in(subject, scope))] == ["host", "rate"]
    assert latency_in(subject, "gpu") is None
