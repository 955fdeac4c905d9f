"""An evaluation as JSON keeps all that it holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_evaluation import made_evaluation_report

from depthrt.bench.numbers.evaluation import Requirement
from depthrt.bench.numbers.evaluation_file import evaluation_to_json, evaluation_type, write_evaluation

REPORT = made_evaluation_report(Requirement("drift<2%", "m", "failed", "drift 3 %"))


def test_json_comes_back_as_the_same_evaluation(tmp_path: Path) -> None:
    write_evaluation(tmp_path / "report.json", REPORT)
    text = (tmp_path / "report.json").read_text()
    assert text == evaluation_to_json(REPORT) and evaluation_type().validate_json(text) == REPORT


def test_names_that_are_no_text_become_text() -> None:
    assert "\\\\udcff" in evaluation_to_json(made_evaluation_report(Requirement("a", "\udcff", "failed", "")))


def test_an_unknown_key_is_refused() -> None:
    found = json.loads(evaluation_to_json(REPORT)) | {"more": 1}
    with pytest.raises(ValueError, match="more"):
        evaluation_type().validate_json(json.dumps(found))
