from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made import make_contract

from depthrt.engine.errors import ModelFileError
from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import (
    Trial,
    Tuning,
    forget_choice,
    recall_choice,
    recall_tuning,
    recall_tunings,
    remember_choice,
)
from depthrt.engine.system.machine import ISA_SWITCHES, describe_cpu, runtime_versions

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
def file(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(bytes(range(256)) * 1000)  # a choice depends on the bytes alone
    return tmp_path / "model.onnx"


@pytest.fixture
def contract() -> Contract:
    return make_contract()


def test_what_was_tuned_comes_back_whole(file: Path, contract: Contract, cache: Path) -> None:
    written = remember_choice(file, contract, 2, TUNING)
    assert written is not None and written.parent == cache / "choices"
    assert recall_tuning(file, contract, 2) == TUNING
    assert recall_choice(file, contract, 2) == FAST
    assert list(written.parent.iterdir()) == [written]


def test_a_second_tuning_replaces_the_first(file: Path, contract: Contract) -> None:
    first = remember_choice(file, contract, 2, TUNING)
    assert remember_choice(file, contract, 2, replace(TUNING, choice=PLAIN)) == first
    assert recall_choice(file, contract, 2) == PLAIN


def test_nothing_is_remembered_at_first_and_after_forgetting(file: Path, contract: Contract) -> None:
    assert recall_choice(file, contract, 2) is None and forget_choice(file, contract, 2) is None
    written = remember_choice(file, contract, 2, TUNING)
    assert forget_choice(file, contract, 2) == written
    assert recall_choice(file, contract, 2) is None


def test_asking_writes_nothing(file: Path, contract: Contract, cache: Path) -> None:
    recall_choice(file, contract, 2)
    forget_choice(file, contract, 2)
    assert not cache.exists()


def test_a_choice_is_for_its_number_of_threads(file: Path, contract: Contract) -> None:
    remember_choice(file, contract, 2, TUNING)
    assert recall_choice(file, contract, 1) is None and recall_choice(file, contract, 4) is None


def test_all_that_is_remembered_for_a_model_is_found(file: Path, contract: Contract) -> None:
    assert recall_tunings(file, contract, 2) == {}
    narrow = replace(TUNING, choice=replace(FAST, threads=1), trials=())
    other = replace(contract, source_sha256="1" * 64)
    for one, threads, tuning in ((contract, 2, TUNING), (contract, 1, narrow), (other, 3, TUNING)):
        remember_choice(file, one, threads, tuning)
    assert recall_tunings(file, contract, 2) == {1: narrow, 2: TUNING}
    assert recall_tunings(file, other, 2) == {3: TUNING}


def test_a_damaged_entry_hides_no_other(file: Path, contract: Contract, caplog: pytest.LogCaptureFixture) -> None:
    written = remember_choice(file, contract, 2, TUNING)
    remember_choice(file, contract, 4, TUNING)
    assert written is not None
    written.write_text("{")
    assert recall_tunings(file, contract, 2) == {4: TUNING} and "cannot be used" in caplog.text


def test_a_choice_is_for_its_model(file: Path, contract: Contract) -> None:
    remember_choice(file, contract, 2, TUNING)
    assert recall_choice(file, replace(contract, source_sha256="1" * 64), 2) is None


def test_a_file_whose_weights_change_has_no_choice(file: Path, contract: Contract) -> None:
    remember_choice(file, contract, 2, TUNING)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(1, 1))  # as a later write leaves it on any file system
    assert recall_choice(file, contract, 2) is None


def test_a_file_that_is_moved_keeps_its_choice(file: Path, contract: Contract) -> None:
    remember_choice(file, contract, 2, TUNING)
    assert recall_choice(file.rename(file.with_name("moved.onnx")), contract, 2) == FAST


@pytest.mark.parametrize("switch", ISA_SWITCHES)
def test_hiding_instruction_sets_makes_another_machine(
    file: Path, contract: Contract, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_choice(file, contract, 2, TUNING)
    monkeypatch.setenv(switch, "AVX2")
    assert recall_choice(file, contract, 2) is None


def test_another_version_of_depthrt_has_no_choice(
    file: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_choice(file, contract, 2, TUNING)
    monkeypatch.setattr("depthrt.engine.system.machine.__version__", "99.0")
    assert recall_choice(file, contract, 2) is None


def test_the_versions_are_those_of_the_runtimes_that_are_installed() -> None:
    import onnxruntime

    assert onnxruntime.__version__ in runtime_versions().values()
    assert all(runtime_versions().values())


def test_a_cpu_is_known_by_its_features_and_not_by_its_clock(tmp_path: Path) -> None:
    def cpu(*, mhz: int, flags: str) -> dict[str, str]:
        core = f"model name\t: Made CPU\ncpu MHz\t\t: {mhz}\nflags\t\t: {flags}\n\n"
        (tmp_path / "cpuinfo").write_text(core * 2)
        return describe_cpu(tmp_path / "cpuinfo")

    first = cpu(mhz=2600, flags="avx2 amx_bf16")
    assert first["name"] == "Made CPU"
    assert cpu(mhz=3100, flags="amx_bf16 avx2") == first
    assert cpu(mhz=2600, flags="avx2") != first
    assert describe_cpu(tmp_path / "nothing")["name"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text[: len(text) // 2], "delimiter|Unterminated|Expecting"),
        (lambda text: "", "Expecting value"),
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: "[]", "not a JSON object"),
        (lambda text: text.replace('"speed"', '"pace"'), r"tuning\.pace is an unknown key, and speed is missing"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "another format"),
        (lambda text: text.replace('"threads": 2', '"threads": 3'), "another format, machine or model"),
        (lambda text: text.replace('"bf16"', '"bf17"'), r"tuning\.choice\.precision is 'bf17', expected one of fp32"),
        (lambda text: text.replace("2.125", '"fast"'), r"tuning\.speed is 'fast', expected a finite number above 0"),
        (lambda text: text.replace("2.125", "null"), r"tuning\.speed is null, expected a finite number above 0"),
    ],
)
def test_a_damaged_entry_is_survived_said_and_replaced(
    file: Path, contract: Contract, caplog: pytest.LogCaptureFixture, damage: object, reason: str
) -> None:
    written = remember_choice(file, contract, 2, TUNING)
    assert written is not None and callable(damage)
    written.write_text(damage(written.read_text()))
    with caplog.at_level(logging.WARNING, logger="depthrt"):
        assert recall_choice(file, contract, 2) is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert "cannot be used" in said and f"`depthrt tune {file}`" in said and str(written) in said
    assert re.search(reason, said), said
    remember_choice(file, contract, 2, TUNING)
    assert recall_choice(file, contract, 2) == FAST


def test_an_entry_of_more_threads_than_asked_for_is_refused(
    file: Path, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    remember_choice(file, contract, 1, replace(TUNING, trials=()))
    assert recall_choice(file, contract, 1) is None
    assert "2 threads found, expected 1 to 1" in caplog.text


def test_an_entry_that_is_a_folder_is_survived(
    file: Path, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    written = remember_choice(file, contract, 2, TUNING)
    assert written is not None
    written.unlink()
    written.mkdir()
    assert recall_choice(file, contract, 2) is None and "cannot be used" in caplog.text


def test_a_cache_that_can_only_be_read_is_of_use(file: Path, contract: Contract, cache: Path) -> None:
    remember_choice(file, contract, 2, TUNING)
    (cache / "choices").chmod(0o500)
    try:
        assert recall_choice(file, contract, 2) == FAST
    finally:
        (cache / "choices").chmod(0o700)


def test_a_person_can_read_what_is_remembered(file: Path, contract: Contract) -> None:
    written = remember_choice(file, contract, 2, TUNING)
    assert written is not None
    found = json.loads(written.read_text())
    assert found["path"] == str(file)
    assert found["tuning"]["choice"] == {"runner": "openvino", "precision": "bf16", "threads": 2}
    assert found["key"]["versions"] == runtime_versions()


def test_a_tuning_says_what_it_gained_and_cost() -> None:
    assert str(TUNING) == "tuned: openvino bf16, 2 threads, 2.1 times as fast as the default at a drift of 0.21 %"
    assert str(replace(TUNING, drift=1e-7)).endswith("2.1 times as fast as the default at no drift")
    assert "which is the default, is the fastest" in str(replace(TUNING, choice=PLAIN, speed=1.0, drift=0.0))
    assert str(replace(PLAIN, threads=1)) == "onnxruntime fp32, 1 thread"


def test_a_model_file_that_went_meanwhile_is_an_error_in_one_line(file: Path, contract: Contract) -> None:
    file.unlink()
    with pytest.raises(
        ModelFileError, match=r"model.onnx cannot be read: No such file.*; give the file that was loaded"
    ):
        remember_choice(file, contract, 2, TUNING)
