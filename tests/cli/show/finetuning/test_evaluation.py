"""What an evaluation prints: tables and requirements, or JSON; warnings go to standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_evaluation import FAILED, TRAINED, made_evaluation_report

from depthrt.bench.numbers.evaluation import Requirement
from depthrt.bench.report.evaluation_page import EvaluationFiles
from depthrt.cli.show.finetuning.evaluation import show_evaluation

REPORT = made_evaluation_report(Requirement("drift<1%", TRAINED, "failed", "drift 1.20 %"))
FILES = EvaluationFiles(Path("r/report.html"), Path("r/report.json"))


def test_figures_changes_and_requirements_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_evaluation(REPORT, FILES, as_json=False)
    said = capsys.readouterr()
    assert "0.0200" in said.out and "-75.0 %" in said.out
    assert said.out.splitlines()[-1] == f"failed: drift<1% for {TRAINED}: drift 1.20 %"
    assert f"error: {FAILED}: the file is damaged; export it again" in said.err
    assert "warning: 3 of 5 images are left out." in said.err and "report: r/report.html, report.json" in said.err


def test_machines_get_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show_evaluation(REPORT, FILES, as_json=True)
    assert json.loads(capsys.readouterr().out)["requirements"][0]["state"] == "failed"
