"""What `depthrt doctor` prints of made findings."""

from __future__ import annotations

import json

import pytest
from made_terminal import make_terminal
from run_verb import run

from depthrt.cli.show.findings import show_findings
from depthrt.engine.model.doctor import Finding

FOUND = (
    Finding("machine", True, "Python 3.11.7, 2 cores"),
    Finding("onnxruntime CUDA", False, "built without [cuda]", "pip install 'depthrt[gpu]'"),
)
TEXT = (
    "works  machine           Python 3.11.7, 2 cores\n"
    "no     onnxruntime CUDA  built without [cuda]\n"
    "                         to have it: pip install 'depthrt[gpu]'\n"
)


def test_each_finding_is_a_line_and_a_remedy_stands_below_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings(FOUND, as_json=False)
    assert capsys.readouterr() == (TEXT, "")


def test_json_has_the_same_facts(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings(FOUND, as_json=True)
    printed, talk = capsys.readouterr()
    works, lacks = json.loads(printed)
    assert works == {"name": "machine", "works": True, "detail": "Python 3.11.7, 2 cores", "remedy": ""}
    assert lacks["remedy"] == "pip install 'depthrt[gpu]'" and talk == ""


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_a_terminal_has_colours_unless_the_user_wants_none(
    no_color: str | None, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = make_terminal(monkeypatch, "stdout")
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    show_findings(FOUND, as_json=False)
    assert terminal.shown() == TEXT
    assert terminal.is_coloured() == coloured


def test_a_pipe_gets_no_colours() -> None:
    found = run("doctor")
    assert found.exit_code == 0 and "\x1b" not in found.stdout
