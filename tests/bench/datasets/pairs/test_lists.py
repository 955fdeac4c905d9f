"""Lists of two and three columns, of upstream and of others, name the files that they mean, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.bench.datasets.pairs.lists import Listed, read_list
from depthrt.engine.errors import InputError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def listed(folder: Path, text: str, *roots: Path) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    (folder / "list.txt").write_text(text)
    return read_list(folder / "list.txt", roots)


@pytest.mark.parametrize(
    ("line", "depth", "mask"),
    [
        ("a.jpg b.npy", "b.npy", None),
        ("a.jpg  b.npy", "b.npy", None),
        ("a.jpg b.npy 721.5377", "b.npy", None),
        ("a.jpg b.npy m.png", "b.npy", "m.png"),
        ("a.jpg b.npy None", "b.npy", None),
        ("a.jpg\tb.npy\tm.png", "b.npy", "m.png"),
        ("a.jpg None 721.5377", None, None),
        ("a.jpg None", None, None),
    ],
)
def test_a_line_has_an_image_a_depth_and_a_mask_or_a_focal_length(
    tmp_path: Path, line: str, depth: str | None, mask: str | None
) -> None:
    (one,), _ = listed(tmp_path, f"{line}\n")
    wanted = [None if name is None else tmp_path / name for name in (depth, mask)]
    assert one == Listed(tmp_path / "a.jpg", *wanted)


@pytest.mark.parametrize(
    "line",
    [
        "my room/a 1.jpg my room/a 1.npy",
        "my room/a 1.jpg my room/a 1.npy 518.8",
        "my room/a 1.jpg  my room/a 1.npy my room/m 1.png",
    ],
)
def test_paths_with_blanks_are_split_where_both_files_exist(tmp_path: Path, line: str) -> None:
    touch(tmp_path, "my room/a 1.jpg", "my room/a 1.npy", "my room/m 1.png")
    (one,), _ = listed(tmp_path, line)
    assert (one.image, one.depth) == (tmp_path / "my room/a 1.jpg", tmp_path / "my room/a 1.npy")
    assert one.mask == (tmp_path / "my room/m 1.png" if line.endswith("png") else None)


def test_tabs_split_paths_with_blanks_whether_they_exist_or_not(tmp_path: Path) -> None:
    (one,), _ = listed(tmp_path, "my room/a 1.jpg\tmy room/a 1.npy\n")
    assert one == Listed(tmp_path / "my room/a 1.jpg", tmp_path / "my room/a 1.npy", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.jpg", "line 2, 'a.jpg', has one path"),
        ("my a.jpg my a.npy", "line 2, .*has blanks, and no split of it names files"),
        ("x y z", r"line 2, 'x y z', can be split in 2 ways into files"),
        ("a.jpg a.jpg", "line 2, .*names one file twice"),
        ("a\tb\tc\td", "has 4 columns"),
        (" ".join("w" * 61), "has 61 words"),
    ],
)
def test_an_unclear_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    touch(tmp_path, "x", "y z", "x y", "z")
    with pytest.raises(InputError, match=message) as caught:
        listed(tmp_path, f"a.jpg b.npy\n{line}\n")
    assert "expected an image and a depth path on each line" in str(caught.value) and "\n" not in str(caught.value)


def test_upstream_s_paths_are_found_below_the_list_s_folder_and_that_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "rgb/a.jpg", "depth/a.npy")
    lines = [f"/mnt/far/set/rgb/{name}.jpg /mnt/far/set/depth/{name}.npy\n" for name in ("gone", "a")]
    found, notes = listed(tmp_path, "".join(lines))
    assert found[1] == Listed(tmp_path / "rgb/a.jpg", tmp_path / "depth/a.npy", None)
    assert found[0].image == tmp_path / "rgb/gone.jpg"  # missing, and it stays itself
    assert notes == (f"images and depth files of list.txt are read below {tmp_path} instead of /mnt/far/set",)


def test_the_columns_of_a_list_may_lie_below_different_roots(tmp_path: Path) -> None:
    raw, truth = touch(tmp_path / "raw", "2011/a.png"), touch(tmp_path / "gts", "drive/a.png")
    (tmp_path / "lists").mkdir()
    (one,), notes = listed(tmp_path / "lists", "2011/a.png drive/a.png 721.5\n", raw, truth)
    assert one == Listed(raw / "2011/a.png", truth / "drive/a.png", None)
    assert notes == (
        f"images of list.txt are read below {raw}",
        f"depth files of list.txt are read below {truth}",
    )


def test_a_missing_image_is_not_looked_for_elsewhere_while_others_are_where_the_list_says(tmp_path: Path) -> None:
    touch(tmp_path, "rgb/b.jpg", "a.jpg", "depth/a.npy", "depth/b.npy")
    (first, _), notes = listed(tmp_path, "rgb/a.jpg depth/a.npy\nrgb/b.jpg depth/b.npy\n")
    assert first.image == tmp_path / "rgb/a.jpg" and notes == ()


def test_lines_without_depth_are_counted(tmp_path: Path) -> None:
    found, notes = listed(tmp_path, "a.png None 721.5\nb.png b.npy 721.5\n")
    assert [one.depth for one in found] == [None, tmp_path / "b.npy"]
    assert notes == ("1 of 2 lines of list.txt say that the image has no depth",)


def test_a_name_that_no_system_takes_is_no_file(tmp_path: Path) -> None:
    (one,), _ = listed(tmp_path, f"{'a' * 5000}.jpg b.npy\n")
    assert one.depth == tmp_path / "b.npy"
