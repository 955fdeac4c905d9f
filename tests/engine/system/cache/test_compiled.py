from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small_disk import files_of_at_most

from depthrt.engine.system.cache import compiled
from depthrt.engine.system.cache.compiled import compiled_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_compiled_is_found_where_nothing_can_be_written(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with compiled_folder("made", {"key": 1}) as folder:
        assert folder is not None
        folder.mkdir()
        (folder / "whole.blob").write_bytes(b"whole")
    monkeypatch.setattr("depthrt.engine.system.cache.folder._refusal", lambda folder: "a read-only file system")
    with compiled_folder("made", {"key": 1}) as known, compiled_folder("made", {"key": 2}) as new:
        assert known is not None and (known / "whole.blob").read_bytes() == b"whole" and new is None


def test_a_failed_compilation_leaves_nothing(cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt), compiled_folder("made", {"key": 1}) as folder:
        assert folder is not None
        folder.mkdir()
        (folder / "half.blob").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list((cache / "made").iterdir()) == []


def test_the_least_recently_used_compilation_goes_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BOUND_BYTES", 2500)
    for number in (0, 1, 2):
        with compiled_folder("made", {"key": number}) as folder:
            assert folder is not None
            folder.mkdir()
            (folder / f"{number}.blob").write_bytes(b"x" * 1000)
        for age, kept in enumerate(sorted((cache / "made").iterdir(), key=lambda path: path.stat().st_mtime)[::-1]):
            os.utime(kept, (1000 - age, 1000 - age))  # clocks of files can be coarser than this test
    assert {file.name for file in (cache / "made").glob("*/*.blob")} == {"1.blob", "2.blob"}


def test_what_others_remove_meanwhile_and_what_was_interrupted_do_no_harm(cache: Path) -> None:
    home = cache / "made"
    home.mkdir(parents=True)
    (home / "gone").mkdir()
    (home / "gone" / "gone.blob").symlink_to(home / "nowhere")  # listed, and not there when it is asked for its size
    for name, age_s in (("begun", 3600), ("stopped", 3 * 86400)):
        folder = home / f".new-{name}"
        folder.mkdir()
        (folder / "half.blob").write_bytes(b"half")
        os.utime(folder, (time.time() - age_s, time.time() - age_s))
    with compiled_folder("made", {"key": 1}) as new:
        assert new is not None
        new.mkdir()
        (new / "whole.blob").write_bytes(b"whole")
    assert {file.name for file in home.glob("*/*.blob")} == {"gone.blob", "half.blob", "whole.blob"}
    assert [folder.name for folder in home.glob(".new-*")] == [".new-begun"]


def test_a_folder_has_the_name_and_the_sums_that_caches_in_use_have(cache: Path) -> None:
    key = {"path": "/model.onnx", "openvino": "1"}
    folder = cache / "made" / hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]
    folder.mkdir(parents=True)
    (folder / "whole.blob").write_bytes(b"whole")
    (folder / "sha256.json").write_text(json.dumps({"whole.blob": hashlib.sha256(b"whole").hexdigest()}))
    with compiled_folder("made", key) as found:
        assert found == folder


@pytest.mark.parametrize("makes_folder", [True, False])
def test_a_compilation_that_wrote_nothing_is_not_kept_and_that_is_said(
    cache: Path, makes_folder: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk: the runner works without what it could not write."""
    for _ in range(2):
        with compiled_folder("made", {"key": 1}) as folder:
            assert folder is not None and not folder.exists()
            if makes_folder:
                folder.mkdir()
    assert list((cache / "made").iterdir()) == []
    (said,) = [record.getMessage() for record in caplog.records]
    assert "nothing compiled is kept in" in said and "each load compiles again" in said


def test_a_disk_that_fills_up_before_the_sums_keeps_nothing(cache: Path) -> None:
    with compiled_folder("made", {"key": 1}) as folder:
        assert folder is not None
        folder.mkdir()
        (folder / "whole.blob").write_bytes(b"whole")
        with files_of_at_most(10):
            compiled._publish(folder, cache / "made" / "final")
    assert not (cache / "made" / "final").exists()


@pytest.mark.parametrize("special", [os.mkfifo, os.mkdir])
def test_a_folder_with_a_pipe_or_a_folder_in_it_is_compiled_again(cache: Path, special: Callable[[Path], None]) -> None:
    with compiled_folder("made", {"key": 1}) as folder:
        assert folder is not None
        folder.mkdir()
        (folder / "whole.blob").write_bytes(b"whole")
    (blob,) = (cache / "made").glob("*/whole.blob")
    blob.unlink()
    special(blob)
    with compiled_folder("made", {"key": 1}) as folder:
        assert folder is not None and not folder.exists()


@pytest.mark.parametrize("damage", ["{", "[" * 100_000, "{}", '{"whole.blob": 5}'])
def test_a_damaged_folder_is_compiled_again_and_that_is_said_once(
    cache: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with compiled_folder("made", {"key": 1}) as folder:
            assert folder is not None and not folder.exists()
            folder.mkdir()
            (folder / "whole.blob").write_bytes(b"whole")
        (kept,) = (cache / "made").iterdir()
        (kept / "sha256.json").write_text(damage)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 1 and "is damaged; the model is compiled again" in messages[0]


def test_a_folder_that_another_process_made_meanwhile_stays_and_a_damaged_one_goes_at_the_end(cache: Path) -> None:
    for _ in range(2):
        with compiled_folder("made", {"key": 1}) as slow:
            assert slow is not None
            with compiled_folder("made", {"key": 1}) as fast:
                assert fast is not None and fast != slow
                fast.mkdir()
                (fast / "whole.blob").write_bytes(b"fast")
            slow.mkdir()
            (slow / "whole.blob").write_bytes(b"slow")
        (kept,) = (cache / "made").iterdir()
        assert (kept / "whole.blob").read_bytes() == b"fast"
        (kept / "whole.blob").write_bytes(b"damaged")
    with compiled_folder("made", {"key": 1}) as new:
        assert new is not None and (kept / "whole.blob").read_bytes() == b"damaged"  # a process may be reading it
        new.mkdir()
        (new / "whole.blob").write_bytes(b"new")
    assert list((cache / "made").iterdir()) == [kept] and (kept / "whole.blob").read_bytes() == b"new"
