"""What `depthrt bench` prints: a report's first table, and where a suspect departs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .printing import print_result, say

if TYPE_CHECKING:
    from ...bench.drift.bisect import Bisection
    from ...bench.numbers.result import Report
    from ...bench.report.page import ReportFiles


PIPE_WIDTH = 140  # columns of a table that no terminal shows


def show_report(report: Report, files: ReportFiles, *, drift_budget: float, as_json: bool) -> None:
    """Print what a benchmark found: its warnings, its first table and where the whole is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ...bench.numbers.result_file import to_json
    from ...bench.report.summary import summarise_report
    from ...bench.report.tables import summary_table

    for warning in report.warnings:
        say(f"warning: {warning}")
    for subject in report.subjects:
        if subject.failure:
            say(f"error: {subject.name}: {subject.failure}")
    if as_json:
        print_result(to_json(report))
    else:
        summary = summarise_report(report, drift_budget=drift_budget)
        found = summary_table(report, summary)
        title, caption = escape(summary.headline), escape(found.note)  # file names may have brackets
        table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
        for column in found.columns:
            words = column in (found.columns[0], *found.words)
            table.add_column(column, justify="left" if words else "right", overflow="fold")
        for row in found.rows:
            table.add_row(*map(escape, row))
        Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
    say(f"report: {files.html}, {files.json.name}, {files.markdown.name}")


def show_bisection(found: Bisection) -> None:
    """Print where a suspect departs, and what should be computed in float32."""
    searched = f"{found.runs} runs over {found.nodes} nodes"
    if found.departure is None:
        print_result(
            f"no departure: the answers differ by {found.difference:.2e}, tolerance {found.tolerance:g} ({searched})"
        )
        return
    one = found.departure
    print_result(
        f"departs at {one.node} ({one.op}) of {one.layer}: "
        f"{one.difference:.2e}, before it {one.before:.2e} ({searched})"
    )
    print_result(f"compute in float32: {', '.join(one.island)}")
