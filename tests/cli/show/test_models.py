"""The table of models fits a terminal of 80 columns, and says more in a wider one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_terminal import make_terminal

from depthrt.cli.show.models import show_model, show_models
from depthrt.export.catalog import CATALOG
from depthrt.export.listing import Listed, describe

NARROW, WIDE = 80, 120


@pytest.fixture
def models(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> list[Listed]:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path))
    return [describe(entry) for entry in CATALOG if entry.published]


@pytest.mark.parametrize(("columns", "says_verified"), [(NARROW, False), (WIDE, True)])
def test_no_line_of_the_table_is_broken(
    columns: int, says_verified: bool, models: list[Listed], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = make_terminal(monkeypatch, "stdout", columns=columns)
    show_models(models, as_json=False)
    heading, *lines = terminal.shown().splitlines()
    assert ("verified" in heading) == says_verified
    assert all(len(line) <= columns for line in [heading, *lines])


def test_what_is_here_and_what_is_restricted_is_marked(
    models: list[Listed], capsys: pytest.CaptureFixture[str]
) -> None:
    here = replace(models[0], path="/somewhere/model.pth")
    restricted = next(model for model in models if model.restriction)
    show_models([here, restricted], as_json=False)
    text = capsys.readouterr().out
    assert f"* {here.name}" in text and f"{restricted.licence} !" in text
    assert "* is on this machine (1 of 2)" in text and "! restricts the use" in text
    show_models([here], as_json=False)
    assert "restricts the use" not in capsys.readouterr().out


def test_one_model_is_told_with_its_note_and_its_place(
    models: list[Listed], capsys: pytest.CaptureFixture[str]
) -> None:
    noted = next(model for model in models if model.licence_note)
    show_model(replace(noted, path="/somewhere/model.pth", accepted=True), as_json=False)
    text = capsys.readouterr().out
    assert noted.licence_note in text and "accepted     yes" in text and "here         /somewhere/model.pth" in text


def test_a_family_of_which_nothing_is_published_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_models([], as_json=False)
    assert capsys.readouterr().out == "No model of this family is published.\n"


def test_the_facts_of_a_model_stay_in_their_column(models: list[Listed], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stdout", columns=NARROW)
    show_model(next(model for model in models if model.licence_note), as_json=False)
    _, *lines = terminal.shown().splitlines()
    assert all(line[2:14].strip() or line.startswith(" " * 15) for line in lines)
    assert any(line.startswith(" " * 15) for line in lines)
