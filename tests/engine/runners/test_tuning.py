from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made import CONTRACT
from recalled import recall_choice

from depthrt.engine.modelfile.model_file import ModelFile, as_model_file
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import (
    Trial,
    Tuning,
    forget_choice,
    recall_tuning,
    recall_tunings,
    remember_choice,
)
from depthrt.engine.system.machine import ISA_SWITCHES, runtime_versions

PLAIN, FAST = Choice("onnxruntime", "fp32", 2), Choice("openvino", "bf16", 2)
TUNING = Tuning(
    choice=FAST,
    speed=2.125,
    drift=0.0021,
    budget=0.005,
    made="2026-11-21T12:00:00+00:00",
    trials=(
        Trial(PLAIN, 80.0, 90.0, 0.0),
        Trial(FAST, 40.0, 45.5, 0.0021),
        Trial(replace(FAST, precision="int8"), None, None, None, failure="no such arithmetic here"),
    ),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(bytes(range(256)) * 1000)  # a choice depends on its size and time only
    return tmp_path / "model.onnx"


@pytest.fixture
def file(path: Path) -> ModelFile:
    return as_model_file(path, CONTRACT)


def test_what_was_tuned_comes_back_whole(file: ModelFile, cache: Path) -> None:
    written = remember_choice(file, 2, TUNING)
    assert written is not None and written.parent == cache / "choices"
    assert recall_tuning(file, 2) == TUNING
    assert recall_choice(file, 2) == FAST
    assert list(written.parent.iterdir()) == [written]


def test_a_second_tuning_replaces_the_first(file: ModelFile) -> None:
    first = remember_choice(file, 2, TUNING)
    assert remember_choice(file, 2, replace(TUNING, choice=PLAIN)) == first
    assert recall_choice(file, 2) == PLAIN


def test_nothing_is_remembered_at_first_and_after_forgetting(file: ModelFile) -> None:
    assert recall_choice(file, 2) is None and forget_choice(file, 2) is None
    written = remember_choice(file, 2, TUNING)
    assert forget_choice(file, 2) == written
    assert recall_choice(file, 2) is None


def test_asking_writes_nothing(file: ModelFile, cache: Path) -> None:
    recall_choice(file, 2)
    forget_choice(file, 2)
    assert not cache.exists()


def test_a_choice_is_for_its_number_of_threads(file: ModelFile) -> None:
    remember_choice(file, 2, TUNING)
    assert recall_choice(file, 1) is None and recall_choice(file, 4) is None


def test_all_that_is_remembered_for_a_model_is_found(file: ModelFile) -> None:
    assert recall_tunings(file, 2) == {}
    narrow = replace(TUNING, choice=replace(FAST, threads=1), trials=())
    other = as_model_file(file.path, replace(CONTRACT, source_sha256="1" * 64))
    for model, threads, tuning in ((file, 2, TUNING), (file, 1, narrow), (other, 3, TUNING)):
        remember_choice(model, threads, tuning)
    assert recall_tunings(file, 2) == {1: narrow, 2: TUNING}
    assert recall_tunings(other, 2) == {3: TUNING}


def test_a_damaged_entry_hides_no_other(file: ModelFile, caplog: pytest.LogCaptureFixture) -> None:
    written = remember_choice(file, 2, TUNING)
    remember_choice(file, 4, TUNING)
    assert written is not None
    written.write_text("{")
    assert recall_tunings(file, 2) == {4: TUNING} and "cannot be used" in caplog.text


def test_a_choice_is_for_its_model(file: ModelFile) -> None:
    remember_choice(file, 2, TUNING)
    assert recall_choice(as_model_file(file.path, replace(CONTRACT, source_sha256="1" * 64)), 2) is None


def test_a_file_whose_weights_change_has_no_choice(file: ModelFile) -> None:
    remember_choice(file, 2, TUNING)
    data = bytearray(file.path.read_bytes())
    data[len(data) // 2] ^= 1
    file.path.write_bytes(data)
    os.utime(file.path, ns=(1, 1))  # as a later write leaves it on any file system
    assert recall_choice(as_model_file(file.path, CONTRACT), 2) is None


def test_a_file_that_is_moved_keeps_its_choice(file: ModelFile) -> None:
    remember_choice(file, 2, TUNING)
    moved = file.path.rename(file.path.with_name("moved.onnx"))
    assert recall_choice(as_model_file(moved, CONTRACT), 2) == FAST


@pytest.mark.parametrize("switch", ISA_SWITCHES)
def test_hiding_instruction_sets_makes_another_machine(
    file: ModelFile, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_choice(file, 2, TUNING)
    monkeypatch.setenv(switch, "AVX2")
    assert recall_choice(as_model_file(file.path, CONTRACT), 2) is None


def test_another_version_of_depthrt_has_no_choice(file: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_choice(file, 2, TUNING)
    monkeypatch.setattr("depthrt.engine.system.machine.__version__", "99.0")
    assert recall_choice(as_model_file(file.path, CONTRACT), 2) is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "delimiter|Unterminated|Expecting"),
        (lambda text: "", "Expecting value"),
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: "[]", "not a JSON object"),
        (lambda text: text.replace('"speed"', '"pace"'), r"tuning\.pace is an unknown key, and speed is missing"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "of another format or key than its name"),
        (lambda text: text.replace('"threads": 2', '"threads": 3'), "of another format or key than its name"),
        (lambda text: text.replace('"bf16"', '"bf17"'), r"tuning\.choice\.precision is 'bf17', expected one of fp32"),
        (lambda text: text.replace("2.125", '"fast"'), r"tuning\.speed is 'fast', expected a finite number above 0"),
        (lambda text: text.replace("2.125", "null"), r"tuning\.speed is null, expected a finite number above 0"),
    ],
)
def test_a_damaged_entry_is_survived_said_and_replaced(
    file: ModelFile, caplog: pytest.LogCaptureFixture, damage: object, reason: str
) -> None:
    written = remember_choice(file, 2, TUNING)
    assert written is not None and callable(damage)
    written.write_text(damage(written.read_text()))
    with caplog.at_level(logging.WARNING, logger="depthrt"):
        assert recall_choice(file, 2) is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert "cannot be used" in said and f"`depthrt tune {file.path}`" in said and str(written) in said
    assert re.search(reason, said), said
    remember_choice(file, 2, TUNING)
    assert recall_choice(file, 2) == FAST


def test_an_entry_of_more_threads_than_asked_for_is_refused(file: ModelFile, caplog: pytest.LogCaptureFixture) -> None:
    remember_choice(file, 1, replace(TUNING, trials=()))
    assert recall_choice(file, 1) is None
    assert "2 threads found, expected 1 to 1" in caplog.text


def test_an_entry_that_is_a_folder_is_survived(file: ModelFile, caplog: pytest.LogCaptureFixture) -> None:
    written = remember_choice(file, 2, TUNING)
    assert written is not None
    written.unlink()
    written.mkdir()
    assert recall_choice(file, 2) is None and "cannot be used" in caplog.text


def test_a_cache_that_can_only_be_read_is_of_use(file: ModelFile, cache: Path) -> None:
    remember_choice(file, 2, TUNING)
    (cache / "choices").chmod(0o500)
    try:
        assert recall_choice(file, 2) == FAST
    finally:
        (cache / "choices").chmod(0o700)


def test_a_person_can_read_what_is_remembered(file: ModelFile) -> None:
    written = remember_choice(file, 2, TUNING)
    assert written is not None
    found = json.loads(written.read_text())
    assert found["path"] == str(file.path)
    assert found["tuning"]["choice"] == {"runner": "openvino", "precision": "bf16", "threads": 2}
    assert found["key"]["versions"] == runtime_versions()


def test_a_tuning_says_what_it_gained_and_cost() -> None:
    assert str(TUNING) == "tuned: openvino bf16, 2 threads, 2.1 times as fast as the default at a drift of 0.21 %"
    assert str(replace(TUNING, drift=1e-7)).endswith("2.1 times as fast as the default at no drift")
    assert "the default, as nothing within the budget is clearly faster" in str(
        replace(TUNING, choice=PLAIN, speed=1.0, drift=0.0)
    )
    assert str(replace(PLAIN, threads=1)) == "onnxruntime fp32, 1 thread"
