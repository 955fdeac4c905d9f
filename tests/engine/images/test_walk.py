"""A walk gives each real file once, ends in loops of links, and counts what it leaves out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from depthrt.engine.images.walk import LeftOut, files_below, once


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def names(root: Path, left_out: LeftOut | None = None) -> list[str]:
    return [path.relative_to(root).as_posix() for path in files_below(root, (".png", ".npy"), left_out=left_out)]


def test_linked_folders_are_entered_once_and_a_files_own_name_is_preferred(tmp_path: Path) -> None:
    make(tmp_path, "in/z/a.png", "out/b.PNG", "out/deep/c.npy")
    for link, target in (("in/a-link", "z"), ("in/m", "../out"), ("in/n", "../out/deep"), ("in/z/loop", "../..")):
        (tmp_path / link).symlink_to(target)
    left = LeftOut()
    # in/n leads to a folder inside of that which in/m leads to, and in/z/loop to a folder around all.
    found = names(tmp_path / "in", left)
    assert "z/a.png" in found and len(found) == 3
    assert {Path(name).name for name in found} == {"a.png", "b.PNG", "c.npy"}
    assert not left


def test_a_link_is_taken_if_its_file_is_not_below(tmp_path: Path) -> None:
    make(tmp_path, "raw/1.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.png").symlink_to(tmp_path / "raw" / "1.png")
    (tmp_path / "in" / "y.png").symlink_to(tmp_path / "raw" / "1.png")
    left = LeftOut()
    assert names(tmp_path / "in", left) == ["x.png"]
    assert str(left) == "left out: 1 link to a file that is taken already (y.png)"


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    make(tmp_path, "a.png")
    os.link(tmp_path / "a.png", tmp_path / "b.png")
    assert names(tmp_path) == ["a.png", "b.png"]


def test_everything_that_is_left_out_is_counted_and_a_few_are_named(tmp_path: Path) -> None:
    make(tmp_path, "a.png", ".b.png", ".c.png", ".d.png", "c.jxl", "d.JXL", "e.nef", "f.txt", "g")
    for number in range(5):
        (tmp_path / f"gone{number}.png").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "self.png").symlink_to("self.png")
    left = LeftOut()
    assert names(tmp_path, left) == ["a.png"]
    assert str(left) == (
        "left out: 3 files of a kind that is not read (.jxl .nef), 3 hidden files (.b.png, .c.png, .d.png), "
        "7 names of a missing or special file (gone0.png, gone1.png, gone2.png, ...)"
    )


def test_a_folder_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.png", "private/b.png")
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "private":
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)  # root may open any folder
    left = LeftOut()
    assert names(tmp_path, left) == ["a.png"]
    assert str(left) == "left out: 1 folder that cannot be opened (private)"


def test_what_several_walks_leave_out_adds_up() -> None:
    total = LeftOut(2, Path("depth"))
    other = LeftOut(hidden=[Path(".a.png")])
    other.kinds[".jp2"] += 1
    for _ in range(2):
        total.add(other)
    assert str(total) == (
        "left out: the folder of outputs, depth (images and videos in it: 2), "
        "2 files of a kind that is not read (.jp2), 2 hidden files (.a.png, .a.png)"
    )
    assert not LeftOut(folder=Path("depth"))


def test_the_plain_files_of_a_list_are_taken_once(tmp_path: Path) -> None:
    make(tmp_path, "b.png")
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "folder.png").mkdir()
    left = LeftOut()
    kept = once([tmp_path / name for name in ("a.png", "b.png", "folder.png", "gone.png")], left)
    assert kept == [tmp_path / "b.png"] and left.repeated == [tmp_path / "a.png"]
    assert left.broken == [tmp_path / "folder.png", tmp_path / "gone.png"]
