"""The page of an evaluation: whole, offline, and no name becomes markup."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import escape
from pathlib import Path

from made_evaluation import TRAINED, made_evaluation, made_evaluation_report, made_examples

from depthrt.bench.numbers.evaluation import Evaluation, EvaluationReport, Requirement
from depthrt.bench.report.evaluation_page import evaluation_to_html, prepare_evaluation, write_evaluation_report

NASTY = '<script>alert("1")</script> & |x|'


def with_name(report: EvaluationReport, name: str) -> EvaluationReport:
    models = tuple(replace(model, name=f"{name}{n}") for n, model in enumerate(report.evaluation.models))
    return replace(report, evaluation=replace(report.evaluation, dataset=name, models=models, warnings=(name,)))


def test_the_page_holds_every_section_and_needs_nothing_else() -> None:
    page = evaluation_to_html(made_evaluation_report(Requirement("drift<2%", TRAINED, "failed", "x")), made_examples())
    for heading in ("Requirements", "Changes against", "Figures", "Examples", "Flat things", "Accuracy", "Definitions"):
        assert f"{heading}" in page, heading
    assert page.count("data:image/jpeg;base64,") == 2
    assert not re.search(r"<script|src=\"http|href=|@import|url\(", page)


def test_names_stay_text() -> None:
    page = evaluation_to_html(with_name(made_evaluation_report(), NASTY))
    assert "<script" not in page and escape(NASTY).replace("&quot;", "&#34;") in page


def test_an_evaluation_of_nothing_has_a_page() -> None:
    empty = Evaluation("rooms", 1, 1, {}, 20.0, "none", ())
    page = evaluation_to_html(replace(made_evaluation_report(), evaluation=empty))
    assert "Only the starting network and baselines were judged." in page and "Requirements" not in page


def test_files_are_written_into_a_new_folder(tmp_path: Path) -> None:
    files = write_evaluation_report(tmp_path / "new" / "report", made_evaluation_report(), made_examples())
    assert files == prepare_evaluation(tmp_path / "new" / "report")
    assert json.loads(files.json.read_text())["evaluation"]["against"] == made_evaluation().against
    assert files.html.read_text().startswith("<!doctype html>")
