"""The files of a bag that is not whole are read one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bags import EMPTY, EXTRA, IMAGE, cut, many, write_bag

from depthrt import InputError
from depthrt.robots.reading.cut_bag import CutBag


def test_counts_are_of_what_can_be_read(tmp_path: Path) -> None:
    path = cut(write_bag(tmp_path / "drive", many()) / "drive.mcap", 0.6)
    bag = CutBag(path, [path], "its end is missing")
    counts = {name: topic.messages for name, topic in bag.topics.items()}
    assert 10 < counts[IMAGE] < 60 and counts[EMPTY] == 0
    assert len(list(bag.records([IMAGE]))) == counts[IMAGE] and len(list(bag.records([IMAGE]))) == counts[IMAGE]
    assert bag.flaw is not None and f"the {sum(counts.values())} messages before are read" in bag.flaw
    bag.close()


def test_files_without_a_flaw_make_a_bag_without_one(tmp_path: Path) -> None:
    files = [write_bag(tmp_path / f"drive{number}") / f"drive{number}.mcap" for number in range(2)]
    bag = CutBag(tmp_path, files, "it has no metadata.yaml")
    assert bag.flaw is None and bag.topics[EXTRA].messages == 8


def test_a_bag_of_which_nothing_can_be_read_is_refused(tmp_path: Path) -> None:
    path = cut(write_bag(tmp_path / "drive") / "drive.mcap", 0.01)
    with pytest.raises(InputError, match=r"no message that can be read \(why\)"):
        CutBag(path, [path], "why")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a bag"):
        CutBag(tmp_path / "a.txt", [tmp_path / "a.txt"], "why")
