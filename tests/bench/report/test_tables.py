"""The tables of a report: as many cells as columns, no empty columns, and the figures of the report."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from made_report import BF16, EAGER, FP32, INT8, make_constant, make_report

from depthrt.bench.numbers.result import Report, Throughput
from depthrt.bench.report.summary import summarise_report
from depthrt.bench.report.tables import (
    Table,
    accuracy_tables,
    cold_table,
    drift_table,
    latency_table,
    memory_table,
    rate_table,
    resource_table,
    stage_table,
    summary_table,
    throughput_table,
)


@cache
def whole() -> Report:
    return make_report()


def tables(report: Report) -> list[Table]:
    made = (latency_table, rate_table, throughput_table, stage_table, cold_table, resource_table, memory_table)
    first = [summary_table(report, summarise_report(report)), drift_table(report), *accuracy_tables(report)]
    return [*first, *(make(report) for make in made)]


def test_frames_of_a_report_that_lacks_their_rate_are_shown_without_it() -> None:
    report = whole()
    subjects = tuple(
        replace(subject, latency=tuple(replace(latency, rate_hz=None) for latency in subject.latency))
        for subject in report.subjects
    )
    assert rate_table(report).rows and {row[1] for row in rate_table(replace(report, subjects=subjects)).rows} == {"–"}


def test_every_row_has_as_many_cells_as_columns() -> None:
    for table in tables(whole()):
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}, table.title
        assert set(table.words) <= set(table.columns)


def test_a_report_without_figures_has_tables_without_rows() -> None:
    empty = replace(whole(), subjects=(), reference="")
    assert not any(table.rows for table in tables(empty))


def test_columns_that_no_subject_has_are_left_out() -> None:
    made = summary_table(whole(), summarise_report(whole()))
    assert "VRAM" not in made.columns
    gpu = replace(whole(), subjects=(replace(whole().subjects[0], vram_mib=900.0),))
    assert "VRAM" in summary_table(gpu, summarise_report(gpu)).columns


def test_the_summary_marks_the_roles_of_its_subjects() -> None:
    made = summary_table(whole(), summarise_report(whole()))
    roles = {row[0]: row[-1] for row in made.rows}
    assert roles == {
        EAGER: "baseline", FP32: "", BF16: "fastest in budget", INT8: "over budget", "vits-fp16.onnx cuda": "failed",
    }  # fmt: skip
    assert made.note.startswith(f"p50 and p90: host. Speed: turn by turn against {EAGER}. abs_rel and δ1: nyu")


def test_memory_steps_are_what_each_added() -> None:
    (row, *_) = memory_table(whole()).rows
    assert row == (EAGER, "+96", "+206", "+388", "690", "160", "702")


def test_the_time_until_the_first_depth_is_the_sum_of_its_parts() -> None:
    cold = whole().subjects[1].cold
    assert cold is not None
    row = next(row for row in cold_table(whole()).rows if row[0] == FP32)
    assert float(row[5]) == pytest.approx(cold.process_ms + cold.import_ms + cold.load_ms + cold.first_ms, rel=0.01)


def test_a_latency_that_was_not_steady_says_so() -> None:
    subject = make_constant("a", 3.0)
    unsteady = replace(subject, latency=(replace(subject.latency[0], steady=False),))
    (row,) = latency_table(replace(whole(), subjects=(unsteady,))).rows
    assert row[-1] == "20, not steady"


def test_each_load_of_a_throughput_is_a_row() -> None:
    rows = throughput_table(whole()).rows
    measured: list[Throughput] = [load for subject in whole().subjects for load in subject.throughput]
    assert [(row[1], row[2]) for row in rows] == [(str(load.batch), str(load.streams)) for load in measured]
