"""Keys, tokens and attachments, against the documents of rmw_zenoh, rosbags' hashes and Zenoh's own serialisation."""

from __future__ import annotations

import pytest
import zenoh.ext
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__String as String
from zenoh_peers import digest

from depthrt import InputError
from depthrt.robots.bridge.dialect import (
    Attachment,
    Node,
    Published,
    any_type_key,
    check_topic,
    gid_of,
    publishers_key,
    read_attachment,
    read_publisher,
    type_of_key,
)
from depthrt.robots.messages.types import CameraInfo, CompressedImage, Image, PointCloud2

# Source: ros2/rmw_zenoh docs/design.md, the talker of demo_nodes_cpp
STRING_HASH = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
STRING_KEY = f"0/chatter/std_msgs::msg::dds_::String_/{STRING_HASH}"
TALKER = "@ros2_lv/2/8b20917502ee955ac4476e0266340d5c/0/10/MP/%/%/talker/%chatter/std_msgs::msg::dds_::String_"
NODE = Node(2, "8b20917502ee955ac4476e0266340d5c", "talker")


def test_keys_and_tokens_are_those_of_the_document() -> None:
    assert Node(0, "a", "talker").topic_key("/chatter", String) == STRING_KEY
    assert NODE.token == "@ros2_lv/2/8b20917502ee955ac4476e0266340d5c/0/0/NN/%/%/talker"
    assert NODE.entity_token(10, "MP", "/chatter", String) == f"{TALKER}/{STRING_HASH}/2::,1:,:,:,,"


@pytest.mark.parametrize("message", [Image, CompressedImage, CameraInfo, PointCloud2])
def test_a_key_has_the_type_and_its_hash(message: type[Image]) -> None:
    name = message.__msgtype__.rpartition("/")[2]
    key = Node(7, "a", "eye").topic_key("/front/image_raw", message)
    assert key == f"7/front/image_raw/sensor_msgs::msg::dds_::{name}_/{digest(message.__msgtype__)}"
    assert type_of_key(key) == message.__msgtype__
    assert zenoh.KeyExpr(any_type_key(7, "/front/image_raw")).includes(key)
    assert not zenoh.KeyExpr(any_type_key(7, "/front")).intersects(key)


def test_humble_has_no_hashes_of_types() -> None:
    node = Node(0, "a", "eye", humble=True)
    assert node.topic_key("/image", Image) == "0/image/sensor_msgs::msg::dds_::Image_/TypeHashNotSupported"
    assert "/sensor_msgs::msg::dds_::Image_/TypeHashNotSupported/2::,1:" in node.entity_token(1, "MP", "/image", Image)
    assert type_of_key(node.topic_key("/image", Image)) == "sensor_msgs/msg/Image"


def test_an_attachment_is_what_zenohs_own_serialiser_writes() -> None:
    attachment = Attachment(3, 1_700_000_000_123_456_789, bytes(range(16)))
    fields = (zenoh.ext.Int64(3), zenoh.ext.Int64(1_700_000_000_123_456_789), bytes(range(16)))
    expected = b"".join(zenoh.ext.z_serialize(part).to_bytes() for part in fields)
    assert attachment.to_bytes() == expected and len(expected) == 33
    assert read_attachment(expected) == attachment


@pytest.mark.parametrize("data", [b"", bytes(32), bytes(33), bytes(34)])
def test_other_bytes_are_no_attachment(data: bytes) -> None:
    assert read_attachment(data) is None


def test_a_publishers_token_tells_its_topic_and_type() -> None:
    token = NODE.entity_token(1, "MP", "/front/image_raw", Image)
    assert read_publisher(token) == Published("/front/image_raw", "sensor_msgs/msg/Image")
    assert zenoh.KeyExpr(publishers_key(2)).includes(token)
    for other in (NODE.token, NODE.entity_token(1, "MS", "/front/image_raw", Image), "a/b"):
        assert read_publisher(other) is None
        assert not zenoh.KeyExpr(publishers_key(2)).intersects(other)


def test_publishers_have_different_ids() -> None:
    ids = {gid_of(NODE.entity_token(number, "MP", "/a", Image)) for number in range(3)}
    assert len(ids) == 3 and {len(found) for found in ids} == {16}


@pytest.mark.parametrize("topic", ["", "/", "image", "/a/", "//a", "/a b", "/a/*", "/2d", "/größe", "/a\n"])
def test_a_name_that_is_no_topic_is_refused(topic: str) -> None:
    with pytest.raises(InputError, match=r"--in .*full name.*/camera/image_raw"):
        check_topic(topic, "--in")
    assert check_topic("/front/image_raw", "--in") == "/front/image_raw"
