"""An inbox holds the newest message only, and counts what it did not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zenoh
from made_bags import IMAGE, compressed_message, image_message, picture
from zenoh_peers import free_endpoint, number_of, peer, send, send_image, wait_for, wait_for_reader

from depthrt import InputError
from depthrt.robots.bridge.inbox import Inbox
from depthrt.robots.bridge.request import BridgeRequest
from depthrt.robots.bridge.session import Session
from depthrt.robots.messages.pictures import IMAGE_TYPES
from depthrt.robots.messages.types import CompressedImage, Image

Images = Inbox[Image | CompressedImage]


@pytest.fixture(scope="module")
def sessions() -> Iterator[tuple[Session, zenoh.Session]]:
    place = free_endpoint()
    with Session(BridgeRequest(IMAGE, listen=(place,))) as session, peer(connect=place) as other:
        wait_for(lambda: session.peers)
        yield session, other


@pytest.fixture
def images(sessions: tuple[Session, zenoh.Session], request: pytest.FixtureRequest) -> Images:
    inbox: Images = Inbox(sessions[0], f"/{request.node.name.partition('[')[0]}/image", IMAGE_TYPES)
    wait_for_reader(sessions[1], f"0{inbox.topic}/*/*")
    return inbox


def test_only_the_newest_is_kept(images: Images, sessions: tuple[Session, zenoh.Session]) -> None:
    before = images.arrivals
    for number in range(1, 6):
        send_image(sessions[1], number, images.topic)
    wait_for(lambda: images.arrivals.received == before.received + 5)
    arrived = images.take(1)
    assert arrived is not None and number_of(arrived.message) == 5 and arrived.skipped == 4
    assert images.arrivals.dropped == before.dropped + 4
    assert images.take(0) is None


def test_raw_and_compressed_images_come_on_any_topic(images: Images, sessions: tuple[Session, zenoh.Session]) -> None:
    send(sessions[1], images.topic, compressed_message(b"\xff\xd8", "jpeg", number=3))
    arrived = images.take(10)
    assert arrived is not None and isinstance(arrived.message, CompressedImage)


def test_messages_that_did_not_come_are_counted_by_their_numbers(
    images: Images, sessions: tuple[Session, zenoh.Session]
) -> None:
    before = images.arrivals
    for number, gid in ((5, b"a"), (6, b"a"), (9, b"a"), (1, b"b"), (3, b"b"), (2, b"b")):  # b began again
        send(sessions[1], images.topic, image_message(picture(0), "bgr8"), number, gid * 16)
    wait_for(lambda: images.arrivals.received == before.received + 6)
    assert images.arrivals.lost == before.lost + 2 + 1


def test_another_type_and_other_bytes_are_a_line(images: Images, sessions: tuple[Session, zenoh.Session]) -> None:
    key = f"0{images.topic}/std_msgs::msg::dds_::String_/RIHS01_00"
    sessions[1].put(key, b"")
    with pytest.raises(InputError, match="messages of 'std_msgs/msg/String' found, expected sensor_msgs/msg/Image or"):
        images.take(10)
    sessions[1].put(f"0{images.topic}/sensor_msgs::msg::dds_::Image_/RIHS01_00", b"\0\1\0\0\1\2")
    with pytest.raises(InputError, match="not a sensor_msgs/msg/Image"):
        images.take(10)


def test_a_stopped_inbox_gives_nothing(images: Images) -> None:
    images.stop()
    assert images.take(60) is None
