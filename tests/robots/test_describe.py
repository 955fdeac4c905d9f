"""The facts of a bag are those of its messages, and of a bag that depthrt wrote also what it was made with."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bags import EMPTY, EXTRA, IMAGE, INFO, Storage, cut, many, messages, write_bag, write_ros1_bag
from made_floor import HEIGHT_M
from made_floor_bag import write_floor_bag, write_floor_model

from depthrt import InputError, ObstacleGate
from depthrt.engine.modelfile.contract import read_contract
from depthrt.robots.bag import depth_bag
from depthrt.robots.describe import describe_bag
from depthrt.robots.request import BagRequest


def is_of_messages(times_ns: tuple[int, int] | None) -> bool:
    """Whether times are those of the first and the last message; rosbags writes durations of a nanosecond more."""
    assert times_ns is not None
    return times_ns[0] == messages()[0].time_ns and 0 <= times_ns[1] - messages()[-1].time_ns <= 1


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_topics_counts_and_times_are_those_of_the_messages(tmp_path: Path, storage: Storage) -> None:
    facts = describe_bag(write_bag(tmp_path / "drive", storage=storage))
    assert {topic.name: topic.messages for topic in facts.topics} == {IMAGE: 4, INFO: 4, EXTRA: 4, EMPTY: 0}
    assert is_of_messages(facts.times_ns) and facts.messages == 12
    assert facts.flaw is None and facts.origin is None


def test_a_ros1_bag_has_facts_too(tmp_path: Path) -> None:
    facts = describe_bag(write_ros1_bag(tmp_path / "drive.bag"))
    assert is_of_messages(facts.times_ns) and facts.messages == 12


def test_a_bag_without_messages_has_no_times(tmp_path: Path) -> None:
    facts = describe_bag(write_bag(tmp_path / "drive", []))
    assert facts.times_ns is None and facts.seconds == 0 and [topic.name for topic in facts.topics] == [EMPTY]


def test_a_cut_bag_has_the_facts_of_what_is_left(tmp_path: Path) -> None:
    facts = describe_bag(cut(write_bag(tmp_path / "drive", many()) / "drive.mcap", 0.6))
    assert facts.flaw is not None and "is cut off or damaged" in facts.flaw
    assert facts.times_ns is not None and facts.times_ns[0] == many()[0].time_ns
    assert 0 < facts.messages < len(many()) and 0 < facts.seconds < 2


def test_a_bag_of_depthrt_says_what_it_was_made_with(tmp_path: Path) -> None:
    model = write_floor_model(tmp_path / "floor.onnx")
    gate = ObstacleGate(0.05, 0.3, camera_height_m=HEIGHT_M)
    request = BagRequest(write_floor_bag(tmp_path / "in"), output=tmp_path / "out", model=model, points=True, gate=gate)
    list(depth_bag(request))
    for path in (tmp_path / "out", tmp_path / "out" / "out_0.mcap"):
        origin = describe_bag(path).origin
        assert origin is not None and origin.contract == read_contract(model)
        assert (origin.record.images, origin.record.no_floor, origin.record.made.gate) == (3, 0, gate)
        assert origin.gate is not None and "the floor is 0.40 m under the camera" in origin.gate


@pytest.mark.parametrize("name", ["none", "empty"])
def test_what_is_no_bag_is_a_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected a bag"):
        describe_bag(tmp_path / name)
