"""What `depthrt tune` prints of made candidates."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from made_report import make_drift, make_latency

from depthrt.bench.numbers.result import Interval
from depthrt.bench.run.candidates import Candidate
from depthrt.bench.run.tune import Tuned
from depthrt.cli.show.tuned import show_forgotten, show_tuned
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import Tuning
from depthrt.engine.terms import CpuRunner, Precision

MODEL = Path("my models/a.onnx")


def candidate(runner: CpuRunner, precision: Precision, speed: float, drift: float) -> Candidate:
    latency = make_latency("host", [60.0 / speed] * 6)
    found = Interval(speed, 0.98 * speed, 1.02 * speed)
    return Candidate(Choice(runner, precision, 2), latency=latency, speed=found, drift=make_drift(drift))


PLAIN = candidate("onnxruntime", "fp32", 1.0, 0.0)
QUICK = candidate("openvino", "bf16", 2.0, 0.004)
COARSE = candidate("openvino", "int8", 3.0, 0.02)
LOST = replace(candidate("onnxruntime", "bf16", 1.0, 0.0), latency=None, speed=None, drift=make_drift(math.inf))
BROKEN = replace(LOST, failure="no bf16 on this CPU")


def tuned(**changes: object) -> Tuned:
    tuning = Tuning(QUICK.choice, 2.0, 0.004, 0.005, "2026-11-21T12:00:00+00:00", ())
    made = Tuned(
        (PLAIN, QUICK, COARSE, BROKEN), QUICK, PLAIN.choice, PLAIN.choice, tuning, Path("cache/a.json"), ("A note.",)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_table_has_each_candidate_with_its_role(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(tuned(), MODEL, threads=2, as_json=False)
    printed = capsys.readouterr()
    rows = {line.split(",")[0].strip(" │"): line for line in printed.out.splitlines() if "│" in line}
    assert "default, reference" in rows["onnxruntime fp32"]
    assert "chosen" in rows["openvino bf16"] and "2.0×" in rows["openvino bf16"] and "30.0 ms" in rows["openvino bf16"]
    assert "over budget" in rows["openvino int8"]
    assert "failed" in rows["onnxruntime bf16"]
    assert printed.err.splitlines() == [
        "note: A note.",
        "failed: onnxruntime bf16, 2 threads: no bf16 on this CPU",
        "remembered in cache/a.json",
        "to undo it: depthrt tune 'my models/a.onnx' --forget --threads 2",
    ]


def test_without_a_cache_nothing_is_remembered_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(tuned(written=None), MODEL, threads=None, as_json=False)
    error = capsys.readouterr().err
    assert error.endswith("nothing is remembered, as this machine has no cache that can be written\n")
    assert "to undo it" not in error


def test_json_has_every_candidate_and_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(tuned(), MODEL, threads=None, as_json=True)
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (found["path"], found["chosen"]) == (str(MODEL), {"runner": "openvino", "precision": "bf16", "threads": 2})
    assert [one["within_budget"] for one in found["candidates"]] == [True, True, False, False]
    assert found["candidates"][1]["median_ms"] == 30.0
    assert found["candidates"][3]["drift"] is None and found["candidates"][3]["failure"] == "no bf16 on this CPU"


@pytest.mark.parametrize(
    ("removed", "line"),
    [
        (Path("cache/a.json"), "removed cache/a.json"),
        (None, f"nothing was remembered for {MODEL} with these threads"),
    ],
)
def test_what_was_forgotten_is_named(removed: Path | None, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_forgotten(MODEL, removed, as_json=False)
    assert capsys.readouterr().out == f"{line}\n"
    show_forgotten(MODEL, removed, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"path": str(MODEL), "removed": str(removed) if removed else None}
