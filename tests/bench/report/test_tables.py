"""The tables of a report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from made_report import (
    make_report,
)

from depthrt.bench.numbers.result import Report
from depthrt.bench.report.summary import summarise_report
from depthrt.bench.report.tables import summary_table


@cache
def whole() -> Report:
    return make_report()


def test_columns_that_no_subject_has_are_left_out() -> None:
    made = summary_table(whole(), summarise_report(whole()))
    assert "VRAM" not in made.columns
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    assert "VRAM" in summary_table(gpu, summarise_report(gpu)).columns
