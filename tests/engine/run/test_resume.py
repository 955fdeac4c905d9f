"""Outputs of another model or of other options are stale, those of an interrupted run are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made import CONTRACT

from depthrt import InputError
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.run.jobs import PLAIN, Style
from depthrt.engine.run.resume import STORE, made_since
from depthrt.engine.system.cache import store

OTHER = replace(CONTRACT, source_sha256="9" * 64)


def since(
    folder: Path, start_s: float, *, contract: Contract = CONTRACT, style: Style = PLAIN, resume: bool = True
) -> float:
    return made_since(folder, contract, style, start_s=start_s, resume=resume)


def test_outputs_of_the_same_model_and_options_count_from_the_first_run_on(tmp_path: Path) -> None:
    assert since(tmp_path, 1000.0, resume=False) == pytest.approx(1000, abs=0.1)
    for start_s in (2000.0, 3000.0):
        for resume in (True, False):
            assert since(tmp_path, start_s, resume=resume) == pytest.approx(1000, abs=0.1)


@pytest.mark.parametrize(
    "other",
    [
        lambda folder, start_s: since(folder, start_s, contract=OTHER),
        lambda folder, start_s: since(folder, start_s, style=Style("gray")),
        lambda folder, start_s: since(folder, start_s, style=Style(None, (0.0, 2.0))),
    ],
)
def test_another_model_or_style_makes_all_that_is_there_stale(
    tmp_path: Path, other: Callable[[Path, float], float]
) -> None:
    since(tmp_path, 1000.0, resume=False)
    for start_s in (2000.0, 3000.0):  # the second goes on after the first was interrupted
        assert other(tmp_path, start_s) == pytest.approx(2000, abs=0.1)
    assert since(tmp_path, 4000.0) == pytest.approx(4000, abs=0.1)


def test_folders_are_told_apart_and_their_names_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    since(tmp_path / "a", 1000.0, resume=False)
    assert since(tmp_path / "b", 2000.0, resume=False) == pytest.approx(2000, abs=0.1)
    monkeypatch.chdir(tmp_path)
    assert since(Path("a"), 3000.0) == pytest.approx(1000, abs=0.1)


def test_outputs_of_which_nothing_is_remembered_count(tmp_path: Path) -> None:
    assert since(tmp_path, 1000.0) == since(tmp_path, 2000.0) == 0


def test_a_damaged_entry_or_a_full_disk_stops_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    since(tmp_path, 1000.0, resume=False)
    file = STORE.find({"output": str(tmp_path.resolve())})
    assert file is not None
    entry = json.loads(file.read_text())
    entry["made"]["since_s"] = -1
    file.write_text(json.dumps(entry))
    assert since(tmp_path, 2000.0) == 0
    assert "since_s is -1, " in caplog.text and "outputs that exist count as done" in caplog.text
    file.unlink()

    def full(*arguments: object) -> None:
        raise InputError("the disk is full")

    monkeypatch.setattr(store, "write_entry", full)
    assert since(tmp_path, 3000.0, resume=False) == pytest.approx(3000, abs=0.1)
