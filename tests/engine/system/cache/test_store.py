from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_values import hostile_texts, same

from depthrt import InputError
from depthrt.engine.run import resume
from depthrt.engine.runners import canary_check
from depthrt.engine.system.cache.store import Store, digest, remove_oldest, size_bytes
from depthrt.engine.trt import plan_cache

STORE = Store("made", content="value", most=3)
BLOCK_KIB = 4  # what a file of a few hundred bytes takes on a disk
KEY = {"model": {"size": [[1, 2]]}, "threads": 2}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def recall(key: dict[str, object] = KEY) -> object:
    return STORE.recall(key, lambda content: content, remedy="it is made again")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_is_remembered_is_recalled_under_its_key_only() -> None:
    assert recall() is None
    file = STORE.remember(KEY, [1, "two"], path=Path("/somewhere"))
    assert recall() == [1, "two"] and STORE.find(KEY) == file
    assert recall({**KEY, "threads": 3}) is None
    STORE.remember(KEY, "another")
    assert recall() == "another"
    assert STORE.forget(KEY) == file and recall() is None and STORE.forget(KEY) is None


def test_a_file_has_the_name_and_the_form_that_caches_in_use_have(cache: Path) -> None:
    """Another name or form would lose everything that is remembered."""
    name = hashlib.sha256(json.dumps(KEY, sort_keys=True).encode()).hexdigest()[:32]
    assert digest(KEY) == name
    file = cache / "made" / f"{name}.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"format": 1, "path": "/somewhere", "key": KEY, "value": 5}))
    assert recall() == 5
    assert STORE.remember(KEY, 6, path=Path("/elsewhere")) == file
    assert json.loads(file.read_text()) == {"format": 1, "path": "/elsewhere", "key": KEY, "value": 6}


def test_asking_creates_nothing(cache: Path) -> None:
    assert (recall(), STORE.find(KEY), STORE.forget(KEY), STORE.read_keys()) == (None, None, None, [])
    assert not cache.exists()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"format":' * 2000, "nested too deeply|not JSON"),
        ('{"format": 2, "key": {}, "value": 5}', "another format or key"),
        ('{"format": true}', "another format or key"),
        (" " * (5 << 20), "more than 4194304 bytes"),
        ("\x00\xff", "it is not JSON"),
        (None, "is a folder, expected a plain file"),
    ],
)
def test_a_damaged_entry_counts_as_absent_and_is_reported_once(
    damage: str | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = STORE.remember(KEY, 5)
    assert file is not None
    if damage is None:
        file.unlink()
        file.mkdir()
    else:
        file.write_text(damage)
    assert recall() is None and recall() is None
    (message,) = said(caplog)
    assert str(file) in message and "cannot be used" in message and message.endswith("; it is made again")
    assert any(part in message for part in reason.split("|")) and "\n" not in message
    if damage is not None:
        STORE.remember(KEY, 6)
        assert recall() == 6


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_an_entry_counts_as_absent(caplog: pytest.LogCaptureFixture) -> None:
    file = STORE.remember(KEY, 5)
    assert file is not None
    file.unlink()
    os.mkfifo(file)
    assert recall() is None and STORE.read_keys() == []
    (message,) = said(caplog)
    assert "is a pipe, expected a plain file" in message


def test_an_entry_that_another_process_removes_meanwhile_is_absent_and_no_damage(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = STORE.remember(KEY, 5)
    assert file is not None
    monkeypatch.setattr(Store, "find", lambda store, key: file)
    file.unlink()
    assert recall() is None and said(caplog) == []


@pytest.mark.parametrize(
    "change",
    [{"format": True}, {"format": 1.0}, {"surprise": 1}, {"path": 5}, {"key": {**KEY, "more": 1}}, {"value": None}],
    ids=str,
)
def test_an_entry_that_is_not_as_it_was_written_counts_as_absent(change: dict[str, object]) -> None:
    file = STORE.remember(KEY, 5, path=Path("model.onnx"))
    assert file is not None and recall() == 5
    found = {**json.loads(file.read_text()), **change}
    file.write_text(json.dumps({key: value for key, value in found.items() if value is not None}))
    assert recall() is None


def test_a_key_tells_true_from_1() -> None:
    store = Store("flags", content="value")
    file = store.remember({"flag": 1}, 5)
    assert file is not None
    file.write_text(file.read_text().replace('"flag": 1', '"flag": true'))
    assert store.recall({"flag": 1}, int, remedy="again") is None


def test_no_hostile_value_in_an_entry_is_taken_for_another() -> None:
    file = STORE.remember(KEY, 5)
    assert file is not None
    for wrong in hostile_texts(json.loads(file.read_text())):
        file.write_bytes(wrong.text.encode("utf-8", "surrogatepass"))
        found = STORE.recall(KEY, lambda content: content, remedy="again")
        assert found is None or same(found, wrong.found["value"]), wrong.place


def test_content_that_its_reader_refuses_counts_as_absent(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(content: object) -> object:
        raise RecursionError

    STORE.remember(KEY, 5)
    assert STORE.recall(KEY, refuse, remedy="it is made again") is None
    assert "cannot be used (RecursionError); it is made again" in said(caplog)[0]


def test_the_keys_of_what_can_be_read_are_listed(cache: Path) -> None:
    other = {**KEY, "threads": 1}
    STORE.remember(KEY, 5)
    STORE.remember(other, 5)
    (cache / "made" / "damaged.json").write_text("{")
    (cache / "made" / "folder.json").mkdir()
    (cache / "made" / "list.json").write_text('{"key": []}')
    assert sorted(STORE.read_keys(), key=str) == sorted([KEY, other], key=str)


def test_the_entries_written_longest_ago_go() -> None:
    for number in range(5):
        file = STORE.remember({"number": number}, number)
        assert file is not None
        os.utime(file, (1000 + number, 1000 + number))  # clocks of files can be coarser than this test
    assert [recall({"number": number}) for number in range(5)] == [None, None, 2, 3, 4]


def test_what_another_process_is_writing_is_no_entry_and_stays(cache: Path) -> None:
    STORE.remember(KEY, 5)
    folder = cache / "made"
    writing, killed = folder / ".a.0123abcd.json", folder / ".b.0123abcd.json"
    for unfinished, age_s in ((writing, 3600), (killed, 2 * 86400)):
        unfinished.write_text(json.dumps({"format": 1, "key": {"k": "unfinished"}, "value": 5}))
        os.utime(unfinished, (time.time() - age_s, time.time() - age_s))
    for number in range(4):
        STORE.remember({"number": number}, number)
    assert writing.exists() and not killed.exists()
    assert {"k": "unfinished"} not in STORE.read_keys() and len(STORE.read_keys()) == 3


def test_processes_on_one_cache_find_what_was_remembered_and_nothing_else(cache: Path) -> None:
    code = (
        "import random, sys\nfrom depthrt.engine.system.cache.store import Store\n"
        "store, draw = Store('made', content='value', most=3), random.Random(int(sys.argv[1]))\n"
        "for _ in range(60):\n"
        "    key = {'k': draw.randrange(6)}\n"
        "    assert store.recall(key, int, remedy='again') in (None, key['k'])\n"
        "    store.remember(key, key['k'])\n"
        "    store.read_keys()\n"
        "    store.forget({'k': draw.randrange(6)})\n"
    )
    commands = [[sys.executable, "-c", code, str(seed)] for seed in range(3)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate()[1] for process in started] == [""] * 3
    assert len(list((cache / "made").iterdir())) <= 3 + 2  # each removes what it sees


def test_what_cannot_be_removed_or_written_is_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    STORE.remember(KEY, 5)

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(InputError, match=r"\.json cannot be removed: Permission denied; check its rights"):
        STORE.forget(KEY)
    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(InputError, match=r"\.json cannot be written: Permission denied"):
        STORE.remember(KEY, 6)
    assert recall() == 5


def test_without_a_cache_nothing_is_remembered_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "file"))
    assert STORE.remember(KEY, 5) is None and STORE.remember(KEY, 5) is None and recall() is None
    (message,) = said(caplog)
    assert "cannot be written" in message and "nothing new is remembered" in message


def of_size(path: Path, count: int, age_s: int) -> Path:
    path.write_bytes(bytes(count))
    os.utime(path, (10_000 - age_s, 10_000 - age_s))
    return path


@pytest.mark.parametrize(
    ("most", "weigh", "keep", "left"),
    [
        (3, lambda entry: 1, None, {"new", "middle", "old"}),
        (2, lambda entry: 1, None, {"new", "middle"}),
        (2, lambda entry: 1, "old", {"new", "old"}),
        (0, lambda entry: 1, None, set()),
        (0, lambda entry: 1, "middle", {"middle"}),
        (30, size_bytes, None, {"new", "middle"}),  # 10 and 20
        (29, size_bytes, None, {"new"}),
        (9, size_bytes, None, set()),
    ],
)
def test_the_oldest_make_room(
    tmp_path: Path, most: int, weigh: Callable[[Path], int], keep: str | None, left: set[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    entries = [of_size(folder / "old", 5, 300), of_size(folder / "new", 10, 100), of_size(folder / "middle", 20, 200)]
    remove_oldest(entries, most=most, weigh=weigh, keep=folder / keep if keep else None)
    assert {entry.name for entry in folder.iterdir()} == left


@pytest.mark.parametrize(
    ("store", "most_kib"), [(plan_cache.SUMS, 4096), (resume.STORE, 4096), (canary_check.STORE, 1024)]
)
def test_what_is_remembered_of_files_takes_a_few_mebibytes_of_disk(store: Store, most_kib: int) -> None:
    assert store.most is not None and most_kib // 2 < store.most * BLOCK_KIB <= most_kib


def test_a_folder_weighs_what_is_in_it_and_goes_as_a_whole(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled"
    (compiled / "inner").mkdir(parents=True)
    of_size(compiled / "blob", 7, 0)
    of_size(compiled / "inner" / "blob", 4, 0)
    (compiled / "gone").symlink_to(tmp_path / "nowhere")
    assert size_bytes(compiled) == 11 and size_bytes(tmp_path / "nowhere") == 0
    remove_oldest([compiled, tmp_path / "nowhere"], most=10, weigh=size_bytes)
    assert not compiled.exists()
