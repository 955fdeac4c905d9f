"""Files are written whole or not at all, and bad places are named before the work."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import sys
from pathlib import Path
from time import perf_counter

import pytest

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.engine.system.files import (
    atomic_path,
    check_named,
    check_output,
    check_plain,
    check_reachable,
    file_sha256,
    longest_name_bytes,
    make_folder,
    open_file,
    remove_unfinished,
    try_place,
)


def test_the_file_appears_at_the_end_and_not_before(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"whole")
        assert not (tmp_path / "a.bin").exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".bin"
    assert (tmp_path / "a.bin").read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_or_interrupt_keeps_the_old_file_and_leaves_no_other(
    tmp_path: Path, error: type[BaseException]
) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    with pytest.raises(error), atomic_path(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    with atomic_path(tmp_path / "atomic") as temporary:
        temporary.write_bytes(b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.bin").write_bytes(b"old")
    (tmp_path / "link.bin").symlink_to(tmp_path / "there/a.bin")
    with atomic_path(tmp_path / "link.bin") as temporary:
        temporary.write_bytes(b"fresh")
    assert (tmp_path / "link.bin").is_symlink()
    assert (tmp_path / "there/a.bin").read_bytes() == b"fresh"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match=r"nowhere does not exist; create it first$"),
        atomic_path(tmp_path / "nowhere/a"),
    ):
        pytest.fail("the block must not run")


def test_a_pipe_or_folder_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="not a plain file"), atomic_path(path):
            pytest.fail("the block must not run")


def test_an_error_of_the_disk_is_one_line(tmp_path: Path) -> None:
    # Nothing is written, so there is nothing to rename.
    with (
        pytest.raises(InputError, match=r"^.*a.bin cannot be written: No such file.*$"),
        atomic_path(tmp_path / "a.bin"),
    ):
        pass


def test_a_read_only_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)  # Linux refuses this even if the file does not exist
    with (
        pytest.raises(InputError, match=r"^.*a.bin cannot be written: Read-only file system.*$"),
        atomic_path(tmp_path / "a.bin") as temporary,
    ):
        refuse(temporary)


def test_an_error_about_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), atomic_path(tmp_path / "a.bin"):
        (tmp_path / "other").read_bytes()


def test_checking_a_place_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    for name in ("a.bin", "b.bin"):
        check_output(tmp_path / name, suffix=".bin", source=tmp_path / "source")
    assert (tmp_path / "a.bin").read_bytes() == b"old" and list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_a_file_does_not_replace_what_it_is_made_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.bin").symlink_to("a.bin")
    for path, source in (("a.bin", tmp_path / "a.bin"), ("link.bin", "a.bin"), ("a.bin", "link.bin")):
        with pytest.raises(InputError, match=rf"{path} is .*{source}, which the file is made from; choose another"):
            check_output(path, suffix=".bin", source=source)


def test_a_file_of_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.txt found as the file to write, expected a name that ends in \.bin"):
        check_output(tmp_path / "a.txt", suffix=".bin", source=tmp_path / "source")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "exists and is not a plain file; choose another name"),
        ("nowhere/a.bin", "nowhere does not exist; create it first"),
        ("plain/a.bin", "plain does not exist; create it first"),
        ("x" * 300, "cannot be reached: .*; check its name and rights"),
    ],
)
def test_a_place_that_takes_no_file_is_named_before_the_work(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(InputError, match=message):
        try_place(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "plain"]


def test_files_of_killed_writers_are_removed_and_no_others(tmp_path: Path) -> None:
    kept = [
        "state.bin",
        ".state.bin",
        ".state.12.bin",
        ".state.0123abcd.txt",
        ".other.0123abcd.bin",
        ".state.0123ABCD.bin",
    ]
    for name in (*kept, ".state.0123abcd.bin", ".state.ffffffff.bin"):
        (tmp_path / name).write_bytes(b"")
    remove_unfinished(tmp_path / "state.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    remove_unfinished(tmp_path / "nowhere" / "state.bin")


def test_unfinished_files_of_many_are_removed_through_links_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to("real")
    names = (".a.0123abcd.bin", ".b.0123abcd.bin", ".c.0123abcd.bin")
    for name in names:
        (tmp_path / "real" / name).write_bytes(b"half")
    remove_unfinished(tmp_path / "linked" / "a.bin", tmp_path / "real" / "b.bin", tmp_path / "b.bin")
    assert [path.name for path in (tmp_path / "real").iterdir()] == [".c.0123abcd.bin"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open")
def test_a_file_that_another_process_writes_now_is_not_unfinished(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.bin") as temporary, temporary.open("wb") as file:
        file.write(b"whole")
        remove_unfinished(tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == b"whole"


def test_trying_a_place_removes_what_a_killed_writer_left(tmp_path: Path) -> None:
    (tmp_path / ".a.0123abcd.bin").write_bytes(b"half")
    try_place(tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []


def test_the_name_that_a_killed_writer_leaves_is_known(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"whole")
    temporary.write_bytes(b"half")
    remove_unfinished(tmp_path / "a.bin")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    for folder in (tmp_path / "plain", tmp_path / "plain" / "below"):
        with pytest.raises(InputError, match=rf"folder {folder} cannot be made: .*; choose another place"):
            make_folder(folder)


def test_a_path_that_cannot_be_checked_is_an_error_of_the_callers_kind(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "plain" / "below"):
        check_reachable(path)
    with pytest.raises(ModelFileError, match=r"x cannot be reached: .*; check its name and rights"):
        check_reachable(tmp_path / ("x" * 300), ModelFileError)


@pytest.mark.parametrize("n_bytes", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_is_hashed_whole_whatever_its_size(tmp_path: Path, n_bytes: int) -> None:
    content = os.urandom(n_bytes)
    (tmp_path / "file").write_bytes(content)
    assert file_sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


@pytest.fixture
def special(tmp_path: Path) -> dict[str, Path]:
    """Everything that has the name of a file and is none."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
    kinds = {"pipe": "pipe", "folder": "folder", "link": "pipe", "s": "socket"}
    return {kind + name: tmp_path / name for name, kind in kinds.items()} | {"device": Path(os.devnull)}


def test_only_plain_files_are_opened_and_nothing_waits(special: dict[str, Path]) -> None:
    start = perf_counter()
    for kind, path in special.items():
        for call in (open_file, check_plain):
            with pytest.raises(InputError, match=r"is a \w+, expected a plain file; ") as caught:
                call(path)
            assert kind.startswith(str(caught.value).split(" is a ")[1].split(",")[0])
    assert perf_counter() - start < 5


def test_a_pipe_that_takes_the_place_of_a_file_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("depthrt.engine.system.files.check_plain", lambda path, **_: None)
    with pytest.raises(ModelFileError, match="pipe is a pipe, expected a model; give another"):
        open_file(tmp_path / "pipe", expected="a model", advice="give another", failure=ModelFileError)


def test_a_plain_file_and_a_link_to_it_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"whole")
    (tmp_path / "b").symlink_to("a")
    for name in ("a", "b"):
        with open_file(tmp_path / name) as file:
            assert file.read() == b"whole"
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "missing")


@pytest.mark.parametrize("path", ["", " ", "\n"])
def test_a_name_of_nothing_is_refused(path: str) -> None:
    with pytest.raises(ModelFileError, match=r"model: '.*' found, which names no file; give a path"):
        check_named(path, "model", ModelFileError)
    check_named(" a", "model")


LONGEST = longest_name_bytes(Path("/"))


@pytest.mark.parametrize("character", ["a", "\u6df1", "\U0001f600"])
@pytest.mark.parametrize("suffix", [".safetensors", "." + "x" * 15, "." + "x" * 16, ""])
def test_every_name_that_the_disk_takes_is_written(tmp_path: Path, character: str, suffix: str) -> None:
    size = len(character.encode())
    for stem_bytes in (LONGEST - len(suffix), LONGEST - len(suffix) - 9):
        final = tmp_path / (character * (stem_bytes // size) + suffix)
        with atomic_path(final) as temporary:
            temporary.write_bytes(b"whole")
            assert temporary.name.endswith(suffix) == (len(suffix) <= 16)
        temporary.write_bytes(b"half")  # as a killed process leaves it
        remove_unfinished(final)
        assert final.read_bytes() == b"whole" and [*tmp_path.iterdir()] == [final]
        final.unlink()


def test_the_unfinished_files_of_one_long_name_are_not_those_of_another(tmp_path: Path) -> None:
    names = [tmp_path / ("a" * 250 + end) for end in ("b.bin", "c.bin")]
    for name in names:
        with atomic_path(name) as temporary:
            temporary.touch()
        temporary.write_bytes(name.name.encode())
        name.unlink()
    remove_unfinished(names[0])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [names[1].name.encode()]


def test_a_name_that_the_disk_does_not_take_says_how_long_it_may_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"File name too long \(300 bytes, expected at most {LONGEST}\); check"):
        check_reachable(tmp_path / ("x" * 300))
    assert longest_name_bytes(tmp_path / "not" / "there") == LONGEST


def test_the_disk_holds_the_data_before_the_file_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that reaches the disk before the data leaves a damaged file after a power cut."""
    path, synced = tmp_path / "file.bin", []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append((os.fstat(descriptor).st_ino, path.exists())))
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"whole")
    assert synced == [(path.stat().st_ino, False)]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_refuses_the_data_at_the_end_is_one_line_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with (
        pytest.raises(InputError, match=f"file.bin cannot be written: {os.strerror(number)}"),
        atomic_path(path) as new,
    ):
        new.write_bytes(b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_file_system_that_cannot_sync_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    with atomic_path(tmp_path / "file.bin") as temporary:
        temporary.write_bytes(b"whole")
    assert (tmp_path / "file.bin").read_bytes() == b"whole"
