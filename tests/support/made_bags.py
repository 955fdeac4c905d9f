"""Bags of a robot as recorders write them: every storage and compression, ROS 2 and ROS 1, made by rosbags."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from depthrt.robots.messages.types import CameraInfo, CompressedImage, Header, Image, RegionOfInterest, Time

IMAGE, INFO, EXTRA, EMPTY = "/front/image_raw", "/front/camera_info", "/chatter", "/empty"
START_NS = 1_700_000_000_123_456_789
STEP_NS = 33_333_333
HEIGHT, WIDTH = 48, 64
QOS = Qos(
    QosHistory.KEEP_LAST,
    5,
    QosReliability.BEST_EFFORT,
    QosDurability.VOLATILE,
    QosTime(0, 1),
    QosTime(0, 2),
    QosLiveliness.AUTOMATIC,
    QosTime(0, 3),
    avoid_ros_namespace_conventions=False,
)
Storage = Literal["mcap", "sqlite3"]
Compression = Literal["none", "file", "message", "storage"]
WAYS: list[tuple[Storage, Compression]] = [
    *(("mcap", way) for way in ("none", "file", "message", "storage")),
    *(("sqlite3", way) for way in ("none", "file", "message")),  # SQLite has no compression of its own
]


@dataclass(frozen=True)
class Sent:
    """A message of a made bag: its topic, when it was recorded, and what it is."""

    topic: str
    time_ns: int
    message: Any


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Return a picture that differs from all others: blurred noise over a slope."""
    noise = np.random.default_rng(number).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return np.kron(noise, np.ones((8, 8, 1), np.uint8))[:height, :width].copy()


def header(number: int) -> Header:
    """Return the header of the picture of a number; its stamp lies before the time of its record."""
    stamp_ns = START_NS + number * STEP_NS
    return Header(Time(stamp_ns // 10**9, stamp_ns % 10**9), "front_optical")


def image_message(
    pixels: NDArray[Any], encoding: str, *, number: int = 0, height: int | None = None, width: int | None = None,
    padding: int = 0, big_endian: bool = False,
) -> Image:  # fmt: skip
    """Return a raw image of pixels (rows, ...) of any type, its rows padded with 0xAA."""
    stored = pixels.astype(pixels.dtype.newbyteorder(">" if big_endian else "<"))
    rows = np.ascontiguousarray(stored).view(np.uint8).reshape(len(pixels), -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xAA)
    height, width = height or pixels.shape[0], width or pixels.shape[1]
    return Image(header(number), height, width, encoding, int(big_endian), padded.shape[1], padded.reshape(-1))


def compressed_message(data: bytes, format: str, *, number: int = 0) -> CompressedImage:
    return CompressedImage(header(number), format, np.frombuffer(data, np.uint8))


def camera_message(number: int = 0, *, height: int = HEIGHT, width: int = WIDTH, distorted: bool = False) -> CameraInfo:
    """Return a calibrated camera with square pixels whose axis is a little off the centre."""
    focal, x, y = 1.1 * width, width / 2 - 1.5, height / 2 + 0.75
    k = np.array([focal, 0, x, 0, focal, y, 0, 0, 1], np.float64)
    p = np.array([focal, 0, x, 0, 0, focal, y, 0, 0, 0, 1, 0], np.float64)
    d = np.array([0.2, 0.05, 0.001, 0.0, 0.0] if distorted else [0.0] * 5)
    whole = RegionOfInterest(0, 0, 0, 0, False)
    return CameraInfo(header(number), height, width, "plumb_bob", d, k, np.eye(3).reshape(-1), p, 0, 0, whole)


@cache
def many() -> list[Sent]:
    """Return so many and so large messages that an MCAP file of them has several chunks."""
    return messages(60, size_px=(160, 208))


def messages(
    count: int = 4,
    *,
    images: str = IMAGE,
    camera: bool = True,
    distorted: bool = False,
    size_px: tuple[int, int] = (HEIGHT, WIDTH),
) -> list[Sent]:
    """Return the messages of a camera and of an extra topic, in the order of their records."""
    sent = []
    for number in range(count):
        time_ns = START_NS + number * STEP_NS + 1_000_000
        padding = 8 * (number % 2)
        sent.append(Sent(EXTRA, time_ns - 10, text(f"before {number}")))
        sent.append(
            Sent(images, time_ns, image_message(picture(number, *size_px), "bgr8", number=number, padding=padding))
        )
        if camera:
            sent.append(Sent(INFO, time_ns + 5, camera_message(number, distorted=distorted)))
    return sent


def text(content: str) -> Any:  # noqa: ANN401 (messages of any type)
    return get_typestore(Stores.ROS2_JAZZY).types["std_msgs/msg/String"](content)


def write_bag(
    folder: Path,
    sent: list[Sent] | None = None,
    *,
    storage: Storage = "mcap",
    compression: Compression = "none",
    store: Stores = Stores.ROS2_JAZZY,
    big_endian: bool = False,
    old: bool = False,
) -> Path:
    """Write a rosbag2 with an extra topic and an empty one.

    Args:
        big_endian: Whether the CDR bytes are those of a big-endian machine.
        old: Whether its metadata is as ROS 2 wrote it before Jazzy.
    """
    sent = messages() if sent is None else sent
    types = get_typestore(store)
    writer = Writer2(folder, version=8 if old else 9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        kinds = {EMPTY: "std_msgs/msg/String", **{one.topic: one.message.__msgtype__ for one in sent}}
        connections = {
            topic: writer.add_connection(topic, kind, typestore=types, offered_qos_profiles=[QOS])
            for topic, kind in kinds.items()
        }
        for one in sent:
            kind = kinds[one.topic]
            data = types.serialize_cdr(one.message, kind, little_endian=not big_endian)
            writer.write(connections[one.topic], one.time_ns, data)
    return folder


def write_ros1_bag(path: Path, sent: list[Sent] | None = None, *, compression: str | None = None) -> Path:
    """Write a ROS 1 bag of the same messages; its headers carry ROS 1's sequence numbers."""
    sent = messages() if sent is None else sent
    types = get_typestore(Stores.ROS1_NOETIC)
    writer = Writer1(path)
    if compression is not None:
        writer.set_compression(Writer1.CompressionFormat[compression.upper()])
    with writer:
        connections: dict[str, Any] = {}
        for sequence, one in enumerate(sent):
            kind = one.message.__msgtype__
            if one.topic not in connections:
                connections[one.topic] = writer.add_connection(one.topic, kind, typestore=types)
            message = to_ros1(one.message, types, sequence)
            writer.write(connections[one.topic], one.time_ns, types.serialize_ros1(message, kind))
    return path


def to_ros1(message: Any, types: Any, sequence: int) -> Any:  # noqa: ANN401 (messages of any type)
    """Return a message of ROS 2 as ROS 1 has it: capital letters in CameraInfo, a number in each header."""
    values = []
    for name in (field for field, _ in types.fielddefs[message.__msgtype__][1]):
        value = getattr(message, name if hasattr(message, name) else name.lower())
        if name == "header":
            value = types.types["std_msgs/msg/Header"](sequence, value.stamp, value.frame_id)
        values.append(value)
    return types.types[message.__msgtype__](*values)


def cut(path: Path, share: float = 0.5) -> Path:
    """Cut a file off, as a full disk or a crash does."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(size * share))
    return path


def resized_info(info: CameraInfo, **fields: Any) -> CameraInfo:  # noqa: ANN401 (messages of any type)
    return replace(info, **fields)
