"""The names and bytes with which rmw_zenoh, ROS 2's transport over Zenoh, carries topics; nothing of Zenoh is needed.

Source: ros2/rmw_zenoh docs/design.md (Jazzy and later)
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Literal

from ...engine.errors import InputError
from ..messages.types import Message, definition

BEST_EFFORT_KEEP_LAST_1 = "2::,1:,:,:,,"  # reliability, durability, history and depth, ...; empty is the default
GID_BYTES = 16
_NO_HASH = "TypeHashNotSupported"  # in Humble
_ATTACHMENT = struct.Struct(f"<qqB{GID_BYTES}s")  # number, time in ns, length of the id, id of the publisher
_TOPIC = re.compile(r"(/[A-Za-z_][A-Za-z0-9_]*)+", re.ASCII)
_TOKEN_PARTS = 13  # of a publisher or a subscription

EntityKind = Literal["MP", "MS"]
PUBLISHER: EntityKind = "MP"
SUBSCRIPTION: EntityKind = "MS"


@dataclass(frozen=True, slots=True)
class Node:
    """The node of a session.

    Args:
        domain: ROS domain.
        session: Zenoh's id of the session, hexadecimal.
        name: Of the node, without a namespace.
        humble: Whether it is one of ROS 2 Humble, whose keys have no hash of a type.
    """

    domain: int
    session: str
    name: str
    humble: bool = False

    @property
    def token(self) -> str:
        """Return the key of the liveliness token by which the node is seen."""
        return f"@ros2_lv/{self.domain}/{self.session}/0/0/NN/%/%/{self.name}"

    def entity_token(self, number: int, kind: EntityKind, topic: str, message: type[Message]) -> str:
        """Return the key of the liveliness token by which a publisher or a subscription is seen.

        Args:
            number: Of the entity in its session; 0 is the node.
        """
        return (
            f"@ros2_lv/{self.domain}/{self.session}/0/{number}/{kind}/%/%/{self.name}/{topic.replace('/', '%')}/"
            f"{dds_type(message.__msgtype__)}/{self._digest(message)}/{BEST_EFFORT_KEEP_LAST_1}"
        )

    def topic_key(self, topic: str, message: type[Message]) -> str:
        """Return the key of the messages that it sends on a topic."""
        return f"{self.domain}/{topic.strip('/')}/{dds_type(message.__msgtype__)}/{self._digest(message)}"

    def _digest(self, message: type[Message]) -> str:
        return _NO_HASH if self.humble else definition(message).digest


@dataclass(frozen=True, slots=True)
class Published:
    """A topic that somebody publishes: its name, and its type, "sensor_msgs/msg/Image"."""

    topic: str
    type: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """What a message carries beside its bytes.

    Args:
        number: Of the message, from 1 on.
        time_ns: When it was sent, since 1970.
        gid: Of its publisher, 16 bytes.
    """

    number: int
    time_ns: int
    gid: bytes

    def to_bytes(self) -> bytes:
        """Return its 33 bytes."""
        return _ATTACHMENT.pack(self.number, self.time_ns, GID_BYTES, self.gid)


def check_topic(topic: str, option: str) -> str:
    """Return the full name of a topic.

    Raises:
        InputError: It is not one; the message names the option that gave it.
    """
    if not _TOPIC.fullmatch(topic):
        raise InputError(
            f"{option} {topic!r:.80} found, expected a topic's full name of letters, digits and _, such as "
            "/camera/image_raw"
        )
    return topic


def any_type_key(domain: int, topic: str) -> str:
    """Return the key that matches messages of any type on a topic."""
    return f"{domain}/{topic.strip('/')}/*/*"


def publishers_key(domain: int) -> str:
    """Return the key that matches the liveliness tokens of all publishers."""
    return f"@ros2_lv/{domain}/*/*/*/{PUBLISHER}/*/*/*/*/*/*/*"


def type_of_key(key: str) -> str:
    """Return the type of a message by its key, as Node.topic_key makes it: "sensor_msgs/msg/Image"."""
    return _ros_type(key.split("/")[-2])


def read_publisher(token: str) -> Published | None:
    """Return whose liveliness token a key is; None if it is not one of a publisher."""
    parts = token.split("/")
    if len(parts) != _TOKEN_PARTS or parts[0] != "@ros2_lv" or parts[5] != PUBLISHER:
        return None
    return Published(parts[9].replace("%", "/"), _ros_type(parts[10]))


def read_attachment(data: bytes) -> Attachment | None:
    """Return the attachment of a message; None for bytes that are not one, as other programs send."""
    if len(data) != _ATTACHMENT.size:
        return None
    number, time_ns, length, gid = _ATTACHMENT.unpack(data)
    return Attachment(number, time_ns, gid) if length == GID_BYTES else None


def gid_of(token: str) -> bytes:
    """Return the id of a publisher by its liveliness token; any 16 bytes that no other publisher has will do."""
    return hashlib.sha256(token.encode()).digest()[:GID_BYTES]


def dds_type(ros_type: str) -> str:
    """Return a type's name as DDS has it: sensor_msgs::msg::dds_::Image_ of "sensor_msgs/msg/Image"."""
    *package, name = ros_type.split("/")
    return "::".join([*package, "dds_", f"{name}_"])


def _ros_type(name: str) -> str:
    return name.replace("::dds_::", "::").removesuffix("_").replace("::", "/")
