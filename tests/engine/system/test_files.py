"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from depthrt.engine.errors import InputError
from depthrt.engine.system.files import atomic_path, check_output


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


def test_a_failing_disk_is_told_in_one_line(tmp_path: Path) -> None:
    # Nothing is written, so there is nothing to rename.
    with (
        pytest.raises(InputError, match=r"^.*a.bin cannot be written: No such file.*$"),
        atomic_path(tmp_path / "a.bin"),
    ):
        pass


def test_a_disk_for_reading_alone_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)  # Linux says so even of a file that is not there
    with (
        pytest.raises(InputError, match=r"^.*a.bin cannot be written: Read-only file system.*$"),
        atomic_path(tmp_path / "a.bin") as temporary,
    ):
        refuse(temporary)


def test_an_error_about_another_file_is_not_blamed_on_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), atomic_path(tmp_path / "a.bin"):
        (tmp_path / "other").read_bytes()


def test_a_place_that_takes_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    for name in ("a.bin", "b.bin"):
        check_output(tmp_path / name, suffix=".bin", source=tmp_path / "source")
    assert (tmp_path / "a.bin").read_bytes() == b"old" and list(tmp_path.iterdir()) == [tmp_path / "a.bin"]


def test_what_a_file_is_made_from_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.bin").symlink_to("a.bin")
    for one, other in (("a.bin", tmp_path / "a.bin"), ("link.bin", "a.bin"), ("a.bin", "link.bin")):
        with pytest.raises(InputError, match=rf"{one} is .*{other}, which the file is made from; choose another name"):
            check_output(one, suffix=".bin", source=other)
