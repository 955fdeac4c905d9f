"""What `depthrt tune` prints of made candidates, and of what it forgot."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from made_terminal import COLUMNS, make_terminal
from made_tuned import BROKEN, BUDGET, COARSE, FAST, PLAIN, make_candidate, make_tuned

from depthrt.cli.show.printing import PIPE_WIDTH
from depthrt.cli.show.tuned import show_forgotten, show_tuned

MODEL = Path("my [new] model.onnx")


def row_of(printed: str, name: str) -> list[str]:
    """Return the cells of the row with a name."""
    (line,) = [line for line in printed.splitlines() if line.startswith("│") and name in line]
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_table_is_the_result_and_notes_failures_and_the_way_back_are_talk(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_tuned(make_tuned(), MODEL, threads=None, as_json=False)
    printed, talk = capsys.readouterr()
    assert talk == (
        "note: The machine was loaded.\n"
        f"failed: {BROKEN}: it fails in a fresh process: [core dumped]\n"
        f"remembered in {Path('cache/choices/1a.json')}\n"
        "to undo it: depthrt tune 'my [new] model.onnx' --forget\n"
    )
    assert printed.startswith(str(make_tuned().tuning))
    assert all(len(line) <= PIPE_WIDTH for line in printed.splitlines()) and "\x1b" not in printed


def test_each_candidate_has_its_figures_and_its_role(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(make_tuned(), MODEL, threads=None, as_json=False)
    printed = capsys.readouterr().out
    assert row_of(printed, str(PLAIN))[3:5] == ["1.00×", "0 %"]
    assert row_of(printed, str(PLAIN))[-1] == "default, reference"
    assert row_of(printed, str(FAST))[3:5] == ["2.0×", "0.400 %"] and row_of(printed, str(FAST))[-1] == "chosen"
    assert row_of(printed, str(COARSE))[-1] == "over budget"
    assert row_of(printed, str(BROKEN))[1:] == ["–"] * 7 + ["failed"]
    assert "Drift over 12 image(s) against onnxruntime fp32, 2 threads, budget 0.5 %" in " ".join(printed.split())


def test_the_threads_that_were_given_are_in_the_way_back(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(make_tuned(), MODEL, threads=3, as_json=False)
    command = shlex.split(capsys.readouterr().err.splitlines()[-1].removeprefix("to undo it: "))
    assert command == ["depthrt", "tune", str(MODEL), "--forget", "--threads", "3"]


def test_a_machine_without_a_cache_remembers_nothing_and_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(replace(make_tuned(), written=None), MODEL, threads=None, as_json=False)
    talk = capsys.readouterr().err
    assert talk.endswith("nothing is remembered, as this machine has no cache that can be written\n")
    assert "to undo it" not in talk


def test_json_is_one_line_with_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show_tuned(make_tuned(), MODEL, threads=None, as_json=True)
    printed, talk = capsys.readouterr()
    found = json.loads(printed)
    assert printed.count("\n") == 1 and "note: The machine was loaded." in talk and "to undo it: " in talk
    assert found["path"] == str(MODEL) and found["written"] == str(make_tuned().written)
    assert found["chosen"] == {"runner": "openvino", "precision": "bf16", "threads": 2}
    assert found["default"] == found["reference"] == {"runner": "onnxruntime", "precision": "fp32", "threads": 2}
    assert (found["budget"], found["notes"]) == (BUDGET, ["The machine was loaded."])
    _, fast, coarse, broken = found["candidates"]
    assert (fast["speed"], fast["drift"], fast["within_budget"], fast["failure"]) == (2.0, 0.004, True, "")
    assert fast["p90_ms"] >= fast["median_ms"] > 0 and fast["drift_far"] == pytest.approx(0.004 * 1.6)
    assert not coarse["within_budget"] and "core dumped" in broken["failure"]
    assert {broken[name] for name in ("median_ms", "p90_ms", "speed", "drift", "drift_p99", "edge_f1")} == {None}


def test_json_has_no_number_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    wild = replace(make_candidate(COARSE, 20.0, 3.0, math.inf), failure="3 values of its answers are not finite")
    show_tuned(replace(make_tuned(), candidates=(*make_tuned().candidates, wild)), MODEL, threads=None, as_json=True)

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    last = json.loads(capsys.readouterr().out, parse_constant=refuse)["candidates"][-1]
    assert last["drift"] is None and last["median_ms"] > 0


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_no_wider_lines_and_keeps_every_role(no_color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stdout")
    monkeypatch.setenv("NO_COLOR", no_color)
    show_tuned(make_tuned(), MODEL, threads=None, as_json=False)
    lines = terminal.shown().splitlines()
    assert max(map(len, lines)) <= COLUMNS and not terminal.is_coloured()
    for role in ("chosen", "failed", "default, reference", "over budget", str(FAST)):
        assert any(line.strip() == role for line in lines)


@pytest.mark.parametrize(
    ("removed", "text"),
    [
        (Path("cache/1a.json"), "removed cache/1a.json\n"),
        (None, "nothing was remembered for my [new] model.onnx with these threads\n"),
    ],
)
def test_forgetting_names_the_file_that_was_removed(
    removed: Path | None, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_forgotten(MODEL, removed, as_json=False)
    assert capsys.readouterr() == (text, "")
    show_forgotten(MODEL, removed, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found == {"path": str(MODEL), "removed": str(removed) if removed else None}
