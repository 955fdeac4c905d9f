"""A ROS 1 bag is read up to the chunk that is cut, also if it was never indexed."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bags import IMAGE, many, write_ros1_bag

from depthrt import InputError
from depthrt.robots.messages.types import encode
from depthrt.robots.reading.cut_ros1 import CutRos1

MANY = 60


def test_wherever_it_is_cut_no_message_is_damaged(tmp_path: Path) -> None:
    path = write_ros1_bag(tmp_path / "drive.bag", many())
    whole = path.read_bytes()
    expected = [(one.topic, one.time_ns, bytes(encode(one.message))) for one in many()]
    for size in range(5000, len(whole), 700_001):
        path.write_bytes(whole[:size])
        storage = CutRos1(path)
        found = [(record.topic, record.time_ns, bytes(record.data)) for record in storage.records()]
        assert found == expected[: len(found)]
        assert storage.flaw is not None and "drive.bag" in storage.flaw
    assert len(found) > MANY and IMAGE in {topic.name for topic in storage.topics()}


def test_a_whole_bag_has_no_flaw(tmp_path: Path) -> None:
    storage = CutRos1(write_ros1_bag(tmp_path / "drive.bag"))
    assert len(list(storage.records())) == 12 and storage.flaw is None
    assert {topic.type for topic in storage.topics()} >= {"sensor_msgs/msg/Image", "std_msgs/msg/String"}


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bag"
    path.write_bytes(b"#ROSBAG V1.2\n")
    with pytest.raises(InputError, match=r"does not begin as a ROS 1 bag of version 2.0"):
        list(CutRos1(path).records())
