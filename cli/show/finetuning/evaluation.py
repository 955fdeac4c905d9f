"""What `depthrt finetune evaluate` prints: the main figures, the changes, and the requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..printing import print_lines, print_result, print_table, say

if TYPE_CHECKING:
    from ....bench.numbers.evaluation import EvaluationReport
    from ....bench.report.evaluation_page import EvaluationFiles


def show_evaluation(report: EvaluationReport, files: EvaluationFiles, *, as_json: bool) -> None:
    """Print an evaluation's warnings, its first tables and where the whole report is."""
    from ....bench.numbers.evaluation_file import evaluation_to_json

    for warning in report.evaluation.warnings:
        say(f"warning: {warning}")
    for model in report.evaluation.models:
        if model.failure:
            say(f"error: {model.name}: {model.failure}")
    if as_json:
        print_result(evaluation_to_json(report), lines=True)
    else:
        _show_tables(report)
    say(f"report: {files.html}, {files.json.name}")


def _show_tables(report: EvaluationReport) -> None:
    from ....bench.report.evaluation_tables import main_table, moved_table

    for found in (main_table(report.evaluation), moved_table(report.evaluation)):
        if found.rows:
            print_table(found.columns, found.rows, title=found.title, note=found.note, words=found.words)
    print_lines(requirement.line() for requirement in report.requirements)
