"""Types of ROS 1 become those of ROS 2 where it has them; others keep their fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_bags import camera_message, to_ros1
from rosbags.interfaces import Connection, ConnectionExtRosbag1, MessageDefinition, MessageDefinitionFormat
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from depthrt.robots.messages.types import CameraInfo, decode, encode
from depthrt.robots.messages.types import definition as definition_of
from depthrt.robots.reading.ros1_types import Ros1Types

OWN = "robot_msgs/msg/Wheels"
TEXT = (
    "Header header\nfloat32[4] speeds\n"
    + "=" * 80
    + "\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n"
)


def connection(kind: str, text: str) -> Connection:
    extras = ConnectionExtRosbag1(None, None)
    return Connection(0, "/a", kind, MessageDefinition(MessageDefinitionFormat.MSG, text), "", 0, extras, None)


def noetic() -> Any:  # noqa: ANN401 (messages of any type)
    types = get_typestore(Stores.ROS1_NOETIC)
    types.register({OWN: get_types_from_msg(TEXT, OWN)[OWN]})
    return types


def test_a_type_of_both_is_that_of_ros_2_and_loses_the_number_of_its_header() -> None:
    types, kind = noetic(), CameraInfo.__msgtype__
    found = Ros1Types([connection(kind, types.generate_msgdef(kind)[0])])
    data = bytes(types.serialize_ros1(to_ros1(camera_message(), types, 77), kind))
    assert bytes(encode(decode(found.to_cdr(kind, data), CameraInfo))) == bytes(encode(camera_message()))
    assert found.definition(kind) == definition_of(CameraInfo)


def test_a_type_of_its_own_keeps_its_fields_under_a_header_of_ros_2() -> None:
    types = noetic()
    found = Ros1Types([connection(OWN, TEXT)])
    header = types.types["std_msgs/msg/Header"](5, camera_message().header.stamp, "base")
    message = types.types[OWN](header, np.array([1, 2, 3, 4], np.float32))
    text = found.definition(OWN).text
    assert "float32[4] speeds" in text and "uint32 seq" not in text
    ros2 = get_typestore(Stores.ROS2_JAZZY)
    ros2.register({OWN: get_types_from_msg(text, OWN)[OWN]})
    read: Any = ros2.deserialize_cdr(bytes(found.to_cdr(OWN, bytes(types.serialize_ros1(message, OWN)))), OWN)
    assert read.speeds.tolist() == [1, 2, 3, 4] and read.header.frame_id == "base"


def test_a_type_that_ros_2_has_changed_is_carried_over(capsys: pytest.CaptureFixture[str]) -> None:
    """ROS 2 has added a variance."""
    types, kind = noetic(), "sensor_msgs/msg/Range"
    old, new = types.fielddefs[kind][1], get_typestore(Stores.ROS2_JAZZY).fielddefs[kind][1]
    assert len(old) != len(new)
    found = Ros1Types([connection(kind, types.generate_msgdef(kind)[0])])
    from rosbags.convert.converter import default_message

    message: Any = default_message(types, kind)
    message.range = 12.5
    ros2 = get_typestore(Stores.ROS2_JAZZY)
    read: Any = ros2.deserialize_cdr(bytes(found.to_cdr(kind, bytes(types.serialize_ros1(message, kind)))), kind)
    assert read.range == 12.5 and read.variance == 0
    assert capsys.readouterr().out == ""
