"""Records of probes: as JSON they keep everything, also names that are not valid text."""

from __future__ import annotations

import json
from pathlib import Path

from depthrt.bench.numbers.probes import ProbedModel, ProbeReport, Question, Score, to_json, write_probes
from depthrt.bench.numbers.result import Interval

QUESTION = Question("stem", "a thin stem", "min(r, 1/r)", True)


def report(name: str = "a.onnx") -> ProbeReport:
    score = Score(Interval(0.5, 0.4, 0.6), (0.4, 0.6))
    models = (ProbedModel(name, {"runner": "torch"}, {"stem": score}), ProbedModel("constant", {}, {}, True))
    return ProbeReport((QUESTION,), models, {"pictures": "384x512"})


def test_the_file_holds_the_whole_report(tmp_path: Path) -> None:
    write_probes(tmp_path / "probes.json", report())
    found = json.loads((tmp_path / "probes.json").read_text())
    assert found["schema"] == 1 and found["probes"][0]["formula"] == "min(r, 1/r)"
    assert found["models"][0]["scores"]["stem"] == {
        "mean": {"value": 0.5, "low": 0.4, "high": 0.6},
        "scenes": [0.4, 0.6],
    }
    assert [model["baseline"] for model in found["models"]] == [False, True]
    assert [path.name for path in tmp_path.iterdir()] == ["probes.json"]


def test_a_name_with_other_bytes_is_escaped() -> None:
    assert json.loads(to_json(report("a\udcff.onnx")))["models"][0]["name"] == "a\\udcff.onnx"


def test_a_question_has_a_direction() -> None:
    assert QUESTION.direction == "higher"
    assert Question("tiles", "", "", False).direction == "lower"
