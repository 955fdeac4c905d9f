"""Messages go through CDR bytes unchanged; bytes of another message are an error of one line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_bags import camera_message, image_message, picture

from depthrt import InputError
from depthrt.robots.messages.types import CameraInfo, Image, PointCloud2, decode, definition, encode, typestore


def same(found: object, expected: object) -> bool:
    if dataclasses.is_dataclass(found):
        return all(
            same(getattr(found, field.name), getattr(expected, field.name)) for field in dataclasses.fields(found)
        )
    return bool(np.array_equal(found, expected))  # type: ignore[arg-type]


@pytest.mark.parametrize("little_endian", [True, False])
def test_messages_are_read_as_they_were_written_in_both_byte_orders(little_endian: bool) -> None:
    for message in (image_message(picture(0), "bgr8"), camera_message(3)):
        data = typestore().serialize_cdr(message, message.__msgtype__, little_endian=little_endian)
        assert same(decode(data, type(message)), message)


def test_what_is_written_is_little_endian_cdr() -> None:
    data = encode(camera_message())
    assert bytes(data[:4]) == b"\0\1\0\0"
    assert same(decode(data, CameraInfo), camera_message())


def test_a_picture_is_not_copied_out_of_its_message() -> None:
    data = bytes(encode(image_message(picture(0), "bgr8")))
    assert np.shares_memory(decode(data, Image).data, np.frombuffer(data, np.uint8))


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_in_a_line(noise: bytes) -> None:
    for data in (noise, bytes(encode(camera_message()))[: len(noise)] + noise):
        with pytest.raises(InputError, match="not a sensor_msgs/msg/Image") as error:
            decode(data, Image)
        assert "\n" not in str(error.value)


def test_the_definitions_are_those_of_ros_2() -> None:
    found = definition(PointCloud2)
    assert (
        found.format == "ros2msg" and "uint32 point_step" in found.text and "MSG: sensor_msgs/PointField" in found.text
    )
    assert found.digest.startswith("RIHS01_") and len(found.digest) == 7 + 64
