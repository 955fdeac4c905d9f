"""What rosbags opens is a whole bag; what it refuses is an error of one line."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from made_bags import EXTRA, IMAGE, cut, messages, text, write_bag, write_ros1_bag
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from depthrt import InputError
from depthrt.robots.reading.ros1_types import LATCHED
from depthrt.robots.reading.whole_bag import WholeBag


def test_messages_come_in_the_order_of_time(tmp_path: Path) -> None:
    with closing(WholeBag(write_bag(tmp_path / "drive", list(reversed(messages()))))) as bag:
        times = [record.time_ns for record in bag.records([IMAGE, EXTRA])]
    assert times == sorted(times) and len(times) == 8


def test_a_bag_can_be_read_twice(tmp_path: Path) -> None:
    with closing(WholeBag(write_ros1_bag(tmp_path / "drive.bag"))) as bag:
        assert list(bag.records([IMAGE])) == list(bag.records([IMAGE]))


def test_a_latched_topic_of_ros_1_is_transient_local(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS1_NOETIC)
    with Writer(tmp_path / "map.bag") as writer:
        kind = "std_msgs/msg/String"
        connection = writer.add_connection("/map", kind, typestore=types, latching=1)
        writer.write(connection, 1, types.serialize_ros1(types.types[kind](text("a").data), kind))
    with closing(WholeBag(tmp_path / "map.bag")) as bag:
        assert bag.topics["/map"].qos == (LATCHED,)


def test_a_cut_bag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a whole bag") as error:
        WholeBag(cut(write_bag(tmp_path / "drive") / "drive.mcap"))
    assert "\n" not in str(error.value)
