"""A session beside a foreign one on loopback: what others hear and see of it."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from made_bags import image_message, picture
from zenoh_peers import IMAGE_TYPE, STORE, Heard, digest, free_endpoint, peer, send_until, tokens, wait_for

from depthrt import InputError
from depthrt.robots.bridge.dialect import Published
from depthrt.robots.bridge.request import ROUTER, BridgeRequest
from depthrt.robots.bridge.session import Session
from depthrt.robots.messages.types import Image

KEY = f"0/front/depth/{IMAGE_TYPE}/{digest('sensor_msgs/msg/Image')}"


def test_a_published_message_is_rosbags_bytes_under_its_key_with_33_bytes_beside() -> None:
    place = free_endpoint()
    with Session(BridgeRequest("/a", listen=(place,))) as session, peer(connect=place) as other:
        heard, publisher = Heard(other, KEY), session.publish("/front/depth", Image)
        wait_for(lambda: session.peers)
        message, begun_ns = image_message(picture(0), "bgr8"), time.time_ns()
        wait_for(lambda: publisher.matched)
        for _ in range(3):
            publisher.put(message)
        heard.wait(3)
        assert heard.samples[0].payload.to_bytes() == bytes(STORE.serialize_cdr(message, Image.__msgtype__))
        found = []
        for sample in heard.samples:
            assert sample.attachment is not None
            found.append(struct.unpack("<qqB16s", sample.attachment.to_bytes()))
    numbers = [one[0] for one in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert begun_ns <= found[0][1] <= found[-1][1] <= time.time_ns()
    assert {one[2] for one in found} == {16} and len({one[3] for one in found}) == 1


def test_others_see_the_node_and_its_topics_and_see_them_go() -> None:
    place = free_endpoint()
    with peer(listen=place) as other:
        with Session(BridgeRequest("/a", connect=(place,), node="eye")) as session:
            publisher = session.publish("/front/depth", Image)
            session.subscribe("/front/image_raw", Image, lambda _: None)
            wait_for(lambda: len(tokens(other)) == 3)
            own = f"@ros2_lv/0/{session.node.session}/0"
            kind = f"{IMAGE_TYPE}/{digest('sensor_msgs/msg/Image')}/2::,1:,:,:,,"
            assert tokens(other) == [
                f"{own}/0/NN/%/%/eye",
                f"{own}/1/MP/%/%/eye/%front%depth/{kind}",
                f"{own}/2/MS/%/%/eye/%front%image_raw/{kind}",
            ]
            assert session.node.session == str(next(iter(other.info.peers_zid())))
            del publisher
            wait_for(lambda: len(tokens(other)) == 2)
        wait_for(lambda: tokens(other) == [])


def test_a_session_lists_what_others_publish_and_hears_any_type() -> None:
    place, heard = free_endpoint(), []
    with Session(BridgeRequest("/a", listen=(place,))) as session, peer(connect=place) as other:
        session.subscribe("/front/image_raw", Image, lambda sample: heard.append(str(sample.key_expr)))
        key = f"@ros2_lv/0/{other.zid()}/0/1/MP/%/%/camera/%front%image_raw/{IMAGE_TYPE}/RIHS01_00/::,10:,:,:,,"
        token = other.liveliness().declare_token(key)
        wait_for(session.published)
        assert session.published() == [Published("/front/image_raw", "sensor_msgs/msg/Image")]
        send_until(other, 0, lambda: heard)
        other.put("0/front/image_raw/std_msgs::msg::dds_::String_/TypeHashNotSupported", b"")
        wait_for(lambda: any("String" in key for key in heard))
        token.undeclare()  # type: ignore[no-untyped-call]


def test_without_anybody_there_it_opens_and_waits_for_the_router() -> None:
    with Session(BridgeRequest("/a")) as session:
        assert session.where == ROUTER and session.published() == []


def test_a_file_of_settings_stands_for_the_places(tmp_path: Path) -> None:
    place, file = free_endpoint(), tmp_path / "session.json5"
    file.write_text(
        f'{{mode: "peer", listen: {{endpoints: ["{place}"]}}, scouting: {{multicast: {{enabled: false}}}}}}'
    )
    with Session(BridgeRequest("/a", zenoh_config=file)) as session, peer(connect=place):
        wait_for(lambda: session.peers == 1)
    with pytest.raises(InputError, match="beside --connect"):
        Session(BridgeRequest("/a", zenoh_config=file, connect=(place,)))


@pytest.mark.parametrize("place", ["nonsense", "udp6/127.0.0.1:1", "tcp/127.0.0.1:999999"])
def test_a_place_that_is_none_is_a_line(place: str) -> None:
    with pytest.raises(InputError, match="Zenoh cannot") as found:
        Session(BridgeRequest("/a", listen=(place,)))
    assert "\n" not in str(found.value) and ".rs" not in str(found.value)


def test_a_file_that_is_none_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Zenoh cannot") as found:
        Session(BridgeRequest("/a", zenoh_config=tmp_path / "none.json5"))
    assert "\n" not in str(found.value) and ".rs" not in str(found.value)
