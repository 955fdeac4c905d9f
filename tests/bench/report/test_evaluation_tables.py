"""The tables, plots and sentences of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from made_evaluation import BASELINE, FAILED, START, TRAINED, made_evaluation, made_evaluation_report

from depthrt.bench.numbers.evaluation import Evaluation, EvaluationReport, Requirement
from depthrt.bench.report.evaluation_tables import (
    PART_ROWS,
    figure_panels,
    flat_tables,
    headline,
    main_table,
    metric_tables,
    moved_table,
    part_tables,
    requirement_table,
    sentences,
)
from depthrt.bench.report.tables import Table

HELD = Requirement("drift<2%", TRAINED, "passed", "drift 1.2 %")
BROKEN = Requirement("flat_residual<0.01", TRAINED, "failed", "flat residual 0.02")


def tables(report: EvaluationReport) -> Iterator[Table]:
    evaluation = report.evaluation
    yield from (main_table(evaluation), moved_table(evaluation), requirement_table(report))
    for made in (flat_tables, metric_tables, part_tables):
        yield from made(evaluation)


def test_every_row_has_as_many_cells_as_columns() -> None:
    for table in tables(made_evaluation_report(HELD, BROKEN)):
        assert table.rows and {len(row) for row in table.rows} == {len(table.columns)}, table.title
        assert set(table.words) <= set(table.columns)


def test_the_first_table_has_the_figures_that_some_model_has() -> None:
    found = main_table(made_evaluation())
    assert found.columns[1:4] == ("flat residual", "plane error", "step error") and "drift" in found.columns
    rows = {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.rows}
    assert rows[TRAINED]["flat residual"] == "0.0200" and rows[TRAINED]["drift"] == "1.20 %"
    assert rows[START]["drift"] == "–" and rows[START][""] == "start" and rows[FAILED][""] == "failed"
    assert found.title == "rooms: 2 images of 2 scenes, parts: 70 mirror, 3 art, 5 window"
    bare = replace(made_evaluation(), models=(replace(made_evaluation().models[0], figures={}),), against="")
    assert main_table(bare).columns == ("model",)


def test_changes_say_whether_they_are_clear_and_for_the_better() -> None:
    found = {row[1]: row[2:] for row in moved_table(made_evaluation()).rows}
    assert found["flat residual"] == ("0.0800", "0.0200", "-75.0 %", "-80.0 to -70.0 %", "yes")
    assert found["window depth"][2:] == ("-3.0 points", "-5.0 to -1.0 points", "no")
    assert found["abs_rel of clean pixels"][-1] == "unclear"
    assert found["picture leak"][2:] == ("+0.1", "+0.05 to +0.15", "no")
    assert not moved_table(replace(made_evaluation(), models=made_evaluation().models[:1])).rows


def test_the_headline_is_the_change_of_the_first_model() -> None:
    report = made_evaluation_report(HELD, BROKEN)
    assert headline(report) == (
        f"{TRAINED}: flat residual -75.0 % (95 % -80.0 % to -70.0 %) against {START}, from 0.0800 to 0.0200; "
        "plane error -50.0 %, drift outside 1.20 %."
    )
    assert [*sentences(report)] == [
        "Of 2 requirements, 1 hold, 1 failed.",
        f"{FAILED} failed: the file is damaged; export it again.",
    ]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (slice(0, 1), f"{START}: flat residual 0.0800 (95 % 0.0720–0.0880)."),
        (slice(2, 3), "No model could be judged."),
        (slice(3, 4), "Only the starting network and baselines were judged."),
    ],
)
def test_a_headline_without_changes(models: slice, expected: str) -> None:
    evaluation = replace(made_evaluation(), against="", models=made_evaluation().models[models])
    assert headline(replace(made_evaluation_report(), evaluation=evaluation)) == expected


def test_flat_things_are_counted_by_region() -> None:
    assert [table.title for table in flat_tables(made_evaluation())] == [
        "Mirrors and art, 73 parts", "Mirrors, 70 parts", "Art, 3 parts",
    ]  # fmt: skip


def test_long_tables_of_parts_are_cut_and_say_so() -> None:
    start, trained = part_tables(made_evaluation())
    assert (start.title, len(trained.rows), trained.note) == (START, PART_ROWS, "10 more parts are in report.json.")
    assert trained.rows[0][:3] == ("a", "mirror", "40x30 at 12, 20")


def test_each_main_figure_has_a_plot_with_a_bar_for_each_model() -> None:
    panels = [*figure_panels(made_evaluation())]
    first = panels[0]
    assert first.title == "flat residual, smaller is better" and panels[4].title == "window depth, larger is better"
    assert [(row.name, row.role) for row in first.rows] == [(START, "baseline"), (TRAINED, ""), (BASELINE, "baseline")]
    assert all("<svg" in row.svg for panel in panels for row in panel.rows)


def test_an_evaluation_without_figures_has_tables_without_rows() -> None:
    empty = Evaluation("rooms", 0, 0, {}, None, "none", ())
    assert not any(table.rows for table in tables(replace(made_evaluation_report(), evaluation=empty)))
