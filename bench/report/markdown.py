"""A report as Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from ..compare.compare import Comparison
from ..numbers.result import Report
from .summary import DRIFT_BUDGET, summarise_report
from .tables import (
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
)


def to_markdown(report: Report, *, drift_budget: float = DRIFT_BUDGET) -> str:
    """Return a report as GitHub-flavoured Markdown: the headline and its table, the other tables folded.

    Args:
        report: Of any run.
        drift_budget: As in summary.summarise_report.
    """
    summary = summarise_report(report, drift_budget=drift_budget)
    made, machine = report.made, report.machine
    lines = ["### depthrt bench", "", f"**{_text(summary.headline)}**", ""]
    lines += [f"- {_text(sentence)}" for sentence in summary.sentences]
    lines += [f"- Warning: {_text(warning)}" for warning in report.warnings]
    lines += ["", *_table(summary_table(report, summary)), ""]
    others = (latency_table, rate_table, stage_table, resource_table, memory_table, cold_table, drift_table)
    for table in (*(make(report) for make in others), *accuracy_tables(report)):
        if table.rows:
            lines += [f"<details><summary>{escape(table.title)}</summary>", "", *_table(table), "", "</details>", ""]
    places = [machine.cpu, f"{machine.cores} cores", machine.gpu, machine.system]
    lines += [_text(" · ".join(filter(None, places))), ""]
    lines += ["```", made.command.replace("```", "'''"), "```", ""]
    lines += [_text(f"commit {made.commit or 'unknown'} · {made.started} · took {made.took_s:.0f} s"), ""]
    return "\n".join(lines)


def comparison_to_markdown(comparison: Comparison) -> str:
    """Return a comparison as GitHub-flavoured Markdown."""
    state = f"**{len(comparison.failed)} of {len(comparison.checks)} checks failed**"
    lines = ["### depthrt bench compare", "", state if comparison.checks else "**No conditions were given**", ""]
    lines += [f"- {_text(check.line())}" for check in comparison.checks if check.state != "passed"]
    rows = [
        (change.subject, change.line(), "yes" if change.clear else change.doubt or "no")
        for change in comparison.changes
    ]
    lines += ["", *_table(Table("", ("subject", "change", "clear"), tuple(rows), words=("change", "clear"))), ""]
    lines += [f"- {_text(note)}" for note in comparison.notes]
    return "\n".join(lines).rstrip() + "\n"


def _table(table: Table) -> Iterator[str]:
    words = ("subject", *table.words)
    yield _row(table.columns)
    yield _row(tuple(":--" if column in words else "--:" for column in table.columns))
    yield from (_row(tuple(map(_text, row))) for row in table.rows)
    if table.note:
        yield ""
        yield _text(table.note)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Return text whose marks are escaped, since file names have _ and *."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
