"""What `depthrt bench` prints of made reports, comparisons and bisections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_report import BF16, make_report

from depthrt.bench.bench import BenchResult
from depthrt.bench.compare.compare import compare
from depthrt.bench.drift.bisect import Bisection, Departure
from depthrt.bench.numbers.result_file import from_json
from depthrt.bench.report.page import ReportFiles
from depthrt.cli.show.bench import show_bisection, show_comparison, show_report

FILES = ReportFiles(Path("r/report.html"), Path("r/report.json"), Path("r/report.md"))
DEPARTURE = Departure("node_7", "MatMul", "blocks.1.mlp.fc2", 0.25, 3e-7, ("node_6", "node_7"))


def test_a_report_is_its_table_and_talk_is_warnings_failures_and_files(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_report()
    show_report(BenchResult(report, (), FILES), drift_budget=0.01, as_json=False)
    printed = capsys.readouterr()
    assert f"{BF16} is the fastest within a drift of 1 %" in printed.out
    assert all(subject.name in printed.out for subject in report.subjects)
    assert printed.err.splitlines() == [
        f"warning: {report.warnings[0]}",
        "error: vits-fp16.onnx cuda: no CUDA device was found",
        "report: r/report.html, report.json, report.md",
    ]


def test_as_json_a_report_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_report(only=(BF16,))
    show_report(BenchResult(report, (), None), drift_budget=0.01, as_json=True)
    printed = capsys.readouterr()
    assert from_json(printed.out) == report and "report:" not in printed.err


def test_brackets_in_a_name_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_report(only=(BF16,))
    named = replace(report, subjects=(replace(report.subjects[0], name="a[red].onnx"),), reference="")
    show_report(BenchResult(named, (), None), drift_budget=0.01, as_json=False)
    assert capsys.readouterr().out.count("a[red].onnx") == 3  # title, row and note


@pytest.mark.parametrize("markdown", [False, True])
def test_a_comparison_is_text_or_markdown(markdown: bool, capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(compare(make_report(0), make_report(1), ["p50>+5%"]), markdown=markdown)
    printed = capsys.readouterr()
    last = "0 of 4 checks failed"
    assert (f"**{last}**" if markdown else last) in printed.out.splitlines() and not printed.err


def test_a_departure_is_named_with_what_to_compute_in_float32(capsys: pytest.CaptureFixture[str]) -> None:
    show_bisection(Bisection(DEPARTURE, 0.3, nodes=100, runs=8, tolerance=0.02))
    assert capsys.readouterr().out.splitlines() == [
        "departs at node_7 (MatMul) of blocks.1.mlp.fc2: 2.50e-01, before it 3.00e-07 (8 runs over 100 nodes)",
        "compute in float32: node_6, node_7",
    ]


def test_without_a_departure_the_difference_of_the_answers_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_bisection(Bisection(None, 1e-5, nodes=100, runs=1, tolerance=0.02))
    assert capsys.readouterr().out == (
        "no departure: the answers differ by 1.00e-05, tolerance 0.02 (1 runs over 100 nodes)\n"
    )
