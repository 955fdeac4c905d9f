"""What `depthrt bench` prints of a made report, of a comparison and of a bisection."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from made_report import BF16, EAGER, make_report
from made_terminal import COLUMNS, make_terminal

from depthrt.bench.bench import BenchResult
from depthrt.bench.compare.compare import Comparison, compare
from depthrt.bench.drift.bisect import Bisection, Departure
from depthrt.bench.numbers.result import Report
from depthrt.bench.report.markdown import comparison_to_markdown
from depthrt.bench.report.page import ReportFiles
from depthrt.cli.show.bench import show_bisection, show_comparison, show_report
from depthrt.cli.show.printing import PIPE_WIDTH

FILES = ReportFiles(Path("out [1]/report.html"), Path("out [1]/report.json"), Path("out [1]/report.md"))
TALK = (
    "warning: other virtual machines took 4.1 % of the CPU time during the run\n"
    "error: vits-fp16.onnx cuda: no CUDA device was found\n"
)
AGREES = Bisection(None, 3.2e-7, nodes=85, runs=1, tolerance=1e-4)
DEPARTS = replace(
    AGREES,
    departure=Departure("/blocks.2/Mul", "Mul", "pretrained.blocks.2.attn", 0.5, 2e-7, ("/blocks.2/Mul", "/b/Add")),
    runs=8,
)


@cache
def report() -> Report:
    return make_report()


@cache
def slower() -> Comparison:
    """A report against one in which one subject takes half as long again, and a drift that is not exceeded."""
    return compare(report(), make_report(1, slower=1.5), ["p50>+5%", "drift>5%"])


def result(found: Report | None = None, files: ReportFiles | None = None) -> BenchResult:
    return BenchResult(found or report(), (), files)


def test_a_table_is_the_result_and_warnings_failures_and_the_place_of_the_report_are_talk(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_report(result(files=FILES), drift_budget=0.01, as_json=False)
    printed, talk = capsys.readouterr()
    assert talk == f"{TALK}report: out [1]/report.html, report.json, report.md\n"
    assert "vits-bf16.onnx openvino is the fastest within a drift of 1 %" in printed
    for word in (
        "subject",
        "precision",
        "p50",
        "p90",
        "speed",
        "drift",
        "abs_rel",
        "peak RSS",
        "over budget",
        "failed",
    ):
        assert word in printed
    assert all(len(line) <= PIPE_WIDTH for line in printed.splitlines()) and "\x1b" not in printed


def test_a_report_that_was_not_written_has_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(result(), drift_budget=0.01, as_json=False)
    assert capsys.readouterr().err == TALK


def test_the_budget_decides_who_wins(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(result(), drift_budget=1e-6, as_json=False)
    printed = capsys.readouterr().out
    assert "vits.onnx cpu is the fastest within a drift of 0.0001 %" in printed and printed.count("over budget") == 2


def test_json_is_the_report_and_talk_stays_talk(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(result(files=FILES), drift_budget=0.01, as_json=True)
    printed, talk = capsys.readouterr()
    found = json.loads(printed)
    assert [subject["name"] for subject in found["subjects"]] == [subject.name for subject in report().subjects]
    assert found["reference"] == EAGER and talk.startswith(TALK)


def test_names_with_brackets_keep_them(capsys: pytest.CaptureFixture[str]) -> None:
    subjects = tuple(replace(subject, name=f"{subject.name}[b]") for subject in report().subjects)
    show_report(result(replace(report(), subjects=subjects, reference=f"{EAGER}[b]")), drift_budget=0.01, as_json=False)
    printed, talk = capsys.readouterr()
    assert f"turn by turn against {EAGER}[b]." in " ".join(printed.split())
    assert printed.count("[b]") >= len(subjects) and "error: vits-fp16.onnx cuda[b]: " in talk


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_s_table_is_no_wider_than_the_terminal(no_color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stdout")
    monkeypatch.setenv("NO_COLOR", no_color)
    show_report(result(), drift_budget=0.01, as_json=False)
    lines = terminal.shown().splitlines()
    assert max(map(len, lines)) <= COLUMNS and "fastest" in lines[0]
    for word in ("precision", "abs_rel", "subject", BF16, EAGER, "over budget", "failed"):
        assert any(word in line for line in lines) != (word == "subject"), word  # a block for each has no such heading
    assert not terminal.is_coloured()


def test_a_comparison_names_what_changed_clearly_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(slower(), markdown=False)
    printed, talk = capsys.readouterr()
    lines = printed.splitlines()
    assert lines == list(slower().lines()) and talk == ""
    assert any(line.startswith(f"failed: p50>+5% for {BF16}: ") for line in lines)
    assert any(line.endswith("(no clear change)") for line in lines)
    failed, checks = len(slower().failed), len(slower().checks)
    assert 0 < failed < checks and lines[-1] == f"{failed} of {checks} checks failed"


def test_a_comparison_for_a_pull_request_is_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    show_comparison(slower(), markdown=True)
    printed, talk = capsys.readouterr()
    assert printed == f"{comparison_to_markdown(slower())}\n" and talk == ""
    assert printed.startswith("### depthrt bench compare\n") and BF16 in printed


def test_no_departure_names_the_difference_and_the_tolerance(capsys: pytest.CaptureFixture[str]) -> None:
    show_bisection(AGREES)
    assert capsys.readouterr() == (
        "no departure: the answers differ by 3.20e-07, tolerance 0.0001 (1 runs over 85 nodes)\n",
        "",
    )


def test_a_departure_names_its_layer_and_the_nodes_to_compute_in_float32(capsys: pytest.CaptureFixture[str]) -> None:
    show_bisection(DEPARTS)
    assert capsys.readouterr() == (
        "departs at /blocks.2/Mul (Mul) of pretrained.blocks.2.attn: 5.00e-01, before it 2.00e-07 "
        "(8 runs over 85 nodes)\n"
        "compute in float32: /blocks.2/Mul, /b/Add\n",
        "",
    )
