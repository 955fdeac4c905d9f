"""What is named as a bag is one for `depthrt info`, and a checkpoint's folder is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bags import write_bag, write_ros1_bag

from depthrt.robots.reading.names import is_bag, is_storage


def test_bags_are_known_by_their_names(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "drive")
    assert is_bag(folder) and is_bag(folder / "drive.mcap") and is_bag(write_ros1_bag(tmp_path / "a.bag"))
    (folder / "metadata.yaml").unlink()
    assert is_bag(folder), "its recorder was killed"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "metadata.yaml"])
def test_other_folders_and_files_are_no_bags(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    assert not is_bag(tmp_path) and not is_bag(tmp_path / name)


def test_a_file_that_is_being_written_is_not_one_of_the_bag() -> None:
    assert is_storage(Path("a_0.mcap.zstd")) and not is_storage(Path(".a_0.mcap"))
