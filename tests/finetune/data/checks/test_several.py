"""Lists of one training get the splits that they are named after, and have no image or scene in common."""

from __future__ import annotations

from pathlib import Path

import pytest
from depth_datasets import depth_map, photo, put

from depthrt.finetune.data.checks.several import check_datasets


def write_list(folder: Path, name: str, *pairs: str) -> Path:
    for pair in pairs:
        put(folder / "rgb" / f"{pair}.png", photo())
        put(folder / "depth" / f"{pair}.npy", depth_map())
    (folder / name).write_text("".join(f"rgb/{pair}.png depth/{pair}.npy\n" for pair in pairs))
    return folder / name


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train.txt", "val.txt"), ("train", "val")),
        (("nyu_train_files_with_gt.txt", "kitti-test.txt"), ("train", "test")),
        (("a.txt", "b.txt"), (None, None)),
        (("train_val.txt", "trainer.txt"), (None, None)),
    ],
)
def test_lists_get_the_splits_of_their_names(
    tmp_path: Path, names: tuple[str, str], splits: tuple[str | None, str | None]
) -> None:
    lists = [write_list(tmp_path, name, f"room{number}/1") for number, name in enumerate(names)]
    found = check_datasets(lists)
    assert tuple(checked.files[0].split for checked in found) == splits
    assert all(checked.flaws == () for checked in found)


def test_a_list_on_its_own_gets_no_split(tmp_path: Path) -> None:
    (found,) = check_datasets([write_list(tmp_path, "train.txt", "hall/1")])
    assert found.files[0].split is None


def test_an_image_in_two_lists_and_a_scene_on_two_sides_are_reported(tmp_path: Path) -> None:
    train = write_list(tmp_path, "train.txt", "hall/1", "hall/2")
    val = write_list(tmp_path, "val.txt", "hall/2", "hall/3", "bath/1")
    first, second = check_datasets([train, val])
    assert first.flaws == ()
    assert [flaw.kind for flaw in second.flaws] == ["mismatched", "split"]
    assert second.flaws[0].reason == f"{tmp_path / 'rgb/hall/2.png'} is in {train} too"
    assert second.flaws[1].reason == f"scene hall is in train ({train}) and val ({val}), expected one split"
    assert (second.good, [one.image.stem for one in second.files]) == (2, ["3", "1"])
