"""What `depthrt bench` prints: a report's first table, a comparison, and where a suspect departs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .printing import print_lines, print_result, print_table, say

if TYPE_CHECKING:
    from ...bench.bench import BenchResult
    from ...bench.compare.compare import Comparison
    from ...bench.drift.bisect import Bisection
    from ...bench.numbers.result import Report


def show_report(result: BenchResult, *, drift_budget: float, as_json: bool) -> None:
    """Print a benchmark's warnings, its first table and where the whole report is."""
    from ...bench.numbers.result_file import to_json

    report = result.report
    for warning in report.warnings:
        say(f"warning: {warning}")
    for subject in report.subjects:
        if subject.failure:
            say(f"error: {subject.name}: {subject.failure}")
    if as_json:
        print_result(to_json(report), lines=True)
    else:
        _show_summary(report, drift_budget)
    if result.files is not None:
        say(f"report: {result.files.html}, {result.files.json.name}, {result.files.markdown.name}")


def show_comparison(comparison: Comparison, *, markdown: bool) -> None:
    """Print how two reports compare, as text or as Markdown."""
    from ...bench.report.markdown import comparison_to_markdown

    if markdown:
        print_result(comparison_to_markdown(comparison), lines=True)
    else:
        print_lines(comparison.lines())


def show_bisection(found: Bisection) -> None:
    """Print the layer where a suspect departs, and the nodes to compute in float32."""
    searched = f"{found.runs} runs over {found.nodes} nodes"
    departure = found.departure
    for note in found.notes:
        say(note)
    if departure is None:
        print_result(
            f"no departure: the answers differ by {found.difference:.2e}, tolerance {found.tolerance:g} ({searched})"
        )
        return
    print_result(
        f"departs at {departure.node} ({departure.op}) of {departure.layer}: "
        f"{departure.difference:.2e}, before it {departure.before:.2e} ({searched})"
    )
    print_result(f"compute in float32: {', '.join(departure.island)}")


def _show_summary(report: Report, drift_budget: float) -> None:
    """Print the first table of a report."""
    from ...bench.report.summary import summarise_report
    from ...bench.report.tables import summary_table

    summary = summarise_report(report, drift_budget=drift_budget)
    found = summary_table(report, summary)
    print_table(found.columns, found.rows, title=summary.headline, note=found.note, words=found.words)
