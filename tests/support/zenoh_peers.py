"""Programs on the other side of a bridge: they speak Zenoh and rosbags' CDR themselves, by keys as rmw_zenoh has them.

Run as a program, it talks: `zenoh_peers.py PORT` sends numbered images at 20 Hz to a peer that listens there.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import zenoh
from made_bags import STEP_NS, camera_message, header, image_message, picture
from rosbags.typesys import Stores, get_typestore

WAIT_S = 60.0
STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE_TYPE = "sensor_msgs::msg::dds_::Image_"
INFO_TYPE = "sensor_msgs::msg::dds_::CameraInfo_"
GID = bytes(range(16))


@cache
def digest(name: str) -> str:
    """Return the RIHS01 hash of a type, "sensor_msgs/msg/Image"."""
    return str(STORE.hash_rihs01(name))


def free_endpoint() -> str:
    """Return an address on loopback that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"tcp/127.0.0.1:{found.getsockname()[1]}"


@contextmanager
def peer(*, connect: str | None = None, listen: str | None = None) -> Iterator[zenoh.Session]:
    """Give a session of Zenoh that finds nobody by itself."""
    config = zenoh.Config()
    config.insert_json5("mode", '"peer"')
    config.insert_json5("scouting/multicast/enabled", "false")
    config.insert_json5("connect/endpoints", json.dumps([connect] if connect else []))
    config.insert_json5("listen/endpoints", json.dumps([listen or "tcp/127.0.0.1:0"]))
    session = zenoh.open(config)
    try:
        yield session
    finally:
        session.close()  # type: ignore[no-untyped-call]


def wait_for(true: Callable[[], object]) -> None:
    """Wait until something is true."""
    end_s = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)


def wait_for_reader(session: zenoh.Session, key: str) -> None:
    """Wait until somebody hears what a session sends on a key."""
    publisher = session.declare_publisher(key)
    wait_for(lambda: publisher.matching_status.matching)  # type: ignore[attr-defined]
    publisher.undeclare()  # type: ignore[no-untyped-call]


def send(session: zenoh.Session, topic: str, message: Any, number: int = 1, gid: bytes = GID) -> None:  # noqa: ANN401
    """Send a message as rmw_zenoh does."""
    package, _, name = message.__msgtype__.split("/")
    session.put(
        f"0{topic}/{package}::msg::dds_::{name}_/{digest(message.__msgtype__)}",
        bytes(STORE.serialize_cdr(message, message.__msgtype__)),
        attachment=struct.pack("<qqB", number, time.time_ns(), 16) + gid,
    )


def send_image(session: zenoh.Session, number: int, topic: str = "/front/image_raw") -> None:
    """Send the picture of a number, with its header, in bgr8."""
    send(session, topic, image_message(picture(number), "bgr8", number=number), number + 1)


def send_until(session: zenoh.Session, number: int, true: Callable[[], object]) -> None:
    """Send the picture of a number again and again until something is true."""

    def done() -> bool:
        send_image(session, number)
        return bool(true())

    wait_for(done)


def send_camera(session: zenoh.Session, topic: str = "/front/camera_info", **options: Any) -> None:  # noqa: ANN401
    """Send the CameraInfo of the pictures."""
    send(session, topic, camera_message(**options))


class Heard:
    """What a session hears on a key: each sample, and its message by rosbags."""

    def __init__(self, session: zenoh.Session, key: str) -> None:
        self.samples: list[zenoh.Sample] = []
        self._subscriber = session.declare_subscriber(key, self.samples.append)

    def __len__(self) -> int:
        return len(self.samples)

    def message(self, number: int = -1) -> Any:  # noqa: ANN401
        """Return a message."""
        sample = self.samples[number]
        package, name = str(sample.key_expr).split("/")[-2].removesuffix("_").split("::msg::dds_::")
        return STORE.deserialize_cdr(sample.payload.to_bytes(), f"{package}/msg/{name}")

    def wait(self, count: int = 1) -> None:
        """Wait for a number of samples."""
        wait_for(lambda: len(self.samples) >= count)


def tokens(session: zenoh.Session) -> list[str]:
    """Return the keys of all liveliness tokens that a session sees."""
    replies = session.liveliness().get("@ros2_lv/**", timeout=5)
    return sorted(str(reply.ok.key_expr) for reply in replies if reply.ok is not None)


def number_of(message: Any) -> int:  # noqa: ANN401
    """Return the number of the picture whose header a message has."""
    first, found = header(0).stamp, message.header.stamp
    after_ns: int = (found.sec - first.sec) * 10**9 + found.nanosec - first.nanosec
    return round(after_ns / STEP_NS)


if __name__ == "__main__":
    with peer(connect=sys.argv[1]) as talker:
        sent = 0
        while True:
            send_camera(talker, number=sent)
            send_image(talker, sent)
            sent += 1
            time.sleep(0.05)
