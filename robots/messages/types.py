"""The ROS 2 messages that depthrt reads and writes, as Python classes, and their CDR bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, Protocol, TypeVar

from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore
from rosbags.typesys.stores.ros2_jazzy import builtin_interfaces__msg__Time as Time
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CameraInfo as CameraInfo
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__CompressedImage as CompressedImage
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__Image as Image
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointCloud2 as PointCloud2
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__PointField as PointField
from rosbags.typesys.stores.ros2_jazzy import sensor_msgs__msg__RegionOfInterest as RegionOfInterest
from rosbags.typesys.stores.ros2_jazzy import std_msgs__msg__Header as Header

from ...engine.errors import InputError

__all__ = [
    "CameraInfo",
    "CompressedImage",
    "Header",
    "Image",
    "PointCloud2",
    "PointField",
    "RegionOfInterest",
    "Time",
]


class Message(Protocol):
    """A message of ROS 2."""

    __msgtype__: ClassVar[str]


M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a bag records of a type.

    Args:
        format: Language of the text; "" for none.
        text: Definition of the type and of all types in it.
        digest: RIHS01 hash; "" if it is unknown.
    """

    format: Literal["ros2msg", "ros2idl", ""]
    text: str
    digest: str = ""


@cache
def typestore() -> Typestore:
    """Return the types of ROS 2 Jazzy; those of depthrt are the same from Dashing to Lyrical."""
    return get_typestore(Stores.ROS2_JAZZY)


def decode(data: bytes | memoryview, kind: type[M]) -> M:
    """Return a message of its CDR bytes; its arrays lie in them if their byte order is this machine's.

    Raises:
        InputError: The bytes are not such a message.
    """
    try:
        found = typestore().deserialize_cdr(memoryview(data), kind.__msgtype__)
    except (SerdeError, struct.error, ValueError, IndexError) as error:
        raise InputError(
            f"{len(data)} bytes found that are not a {kind.__msgtype__} ({error}); record again"
        ) from error
    assert isinstance(found, kind)
    return found


def encode(message: Message) -> memoryview:
    """Return the CDR bytes of a message, little-endian."""
    return typestore().serialize_cdr(message, message.__msgtype__, little_endian=True)


@cache
def definition(kind: type[Message]) -> Definition:
    """Return what a bag records of a type."""
    name = kind.__msgtype__
    return Definition("ros2msg", typestore().generate_msgdef(name, ros_version=2)[0], typestore().hash_rihs01(name))
