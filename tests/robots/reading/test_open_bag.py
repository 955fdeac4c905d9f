"""Bags of every storage and compression, of ROS 2 and ROS 1, whole and cut, give the messages that were recorded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from made_bags import (
    EMPTY,
    EXTRA,
    IMAGE,
    INFO,
    QOS,
    WAYS,
    Compression,
    Sent,
    Storage,
    cut,
    many,
    messages,
    write_bag,
    write_ros1_bag,
)
from rosbags.typesys import Stores

from depthrt import InputError
from depthrt.robots.messages.types import CameraInfo, Image, decode, encode
from depthrt.robots.reading.bag import Record
from depthrt.robots.reading.open_bag import open_bag

ALL = (IMAGE, INFO, EXTRA, EMPTY)


def sent(of: list[Sent] | None = None) -> list[Record]:
    """Return what a reader must give of messages."""
    return [Record(one.topic, one.time_ns, bytes(encode(one.message))) for one in of or messages()]


def read(path: Path) -> tuple[list[Record], str | None]:
    with open_bag(path) as bag:
        records = [record._replace(data=bytes(record.data)) for record in bag.records(ALL)]
        return records, bag.flaw


@pytest.mark.parametrize(("storage", "compression"), WAYS)
def test_a_whole_bag_gives_every_message_to_the_bit(tmp_path: Path, storage: Storage, compression: Compression) -> None:
    folder = write_bag(tmp_path / "drive", storage=storage, compression=compression)
    assert read(folder) == (sent(), None)


@pytest.mark.parametrize("store", [Stores.ROS2_HUMBLE, Stores.ROS2_JAZZY])
@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_topics_have_their_types_qos_and_counts(tmp_path: Path, storage: Storage, store: Stores) -> None:
    folder = write_bag(tmp_path / "drive", storage=storage, store=store, old=store == Stores.ROS2_HUMBLE)
    with open_bag(folder) as bag:
        assert {name: (topic.type, topic.messages) for name, topic in bag.topics.items()} == {
            IMAGE: ("sensor_msgs/msg/Image", 4),
            INFO: ("sensor_msgs/msg/CameraInfo", 4),
            EXTRA: ("std_msgs/msg/String", 4),
            EMPTY: ("std_msgs/msg/String", 0),
        }
        assert all(topic.qos == (QOS,) for topic in bag.topics.values())
        assert "uint32 step" in bag.topics[IMAGE].definition.text


@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
def test_a_file_of_a_bag_is_a_bag(tmp_path: Path, suffix: str) -> None:
    folder = write_bag(tmp_path / "drive", storage="mcap" if suffix == ".mcap" else "sqlite3")
    assert read(folder / f"drive{suffix}") == (sent(), None)


@pytest.mark.parametrize(("storage", "suffix"), [("mcap", ".mcap.zstd"), ("sqlite3", ".db3.zstd")])
def test_a_compressed_file_alone_is_a_bag(tmp_path: Path, storage: Storage, suffix: str) -> None:
    folder = write_bag(tmp_path / "drive", storage=storage, compression="file")
    assert read(folder / f"drive{suffix}") == (sent(), None)


@pytest.mark.parametrize(("storage", "compression"), WAYS)
def test_a_bag_whose_recorder_was_killed_needs_no_metadata(
    tmp_path: Path, storage: Storage, compression: Compression
) -> None:
    folder = write_bag(tmp_path / "drive", storage=storage, compression=compression)
    (folder / "metadata.yaml").unlink()
    assert read(folder) == (sent(), None)


@pytest.mark.parametrize(("storage", "compression"), WAYS)
def test_a_bag_that_is_cut_in_half_is_read_up_to_the_cut(
    tmp_path: Path, storage: Storage, compression: Compression
) -> None:
    folder = write_bag(tmp_path / "drive", many(), storage=storage, compression=compression)
    cut(next(file for file in folder.iterdir() if file.name != "metadata.yaml"))
    records, flaw = read(folder)
    assert flaw is not None and f"the {len(records)} messages before are read" in flaw and "\n" not in flaw
    everything = sent(many())
    assert records == everything[: len(records)], "the first ones, none of them damaged"
    assert 0.2 * len(everything) < len(records) < 0.8 * len(everything)


@pytest.mark.parametrize("compression", [None, "bz2", "lz4"])
def test_a_bag_of_ros_1_gives_the_messages_of_ros_2(tmp_path: Path, compression: str | None) -> None:
    records, flaw = read(write_ros1_bag(tmp_path / "drive.bag", compression=compression))
    assert records == sent() and flaw is None


@pytest.mark.parametrize("compression", [None, "bz2", "lz4"])
def test_a_bag_of_ros_1_that_is_cut_is_read_up_to_the_cut(tmp_path: Path, compression: str | None) -> None:
    path = cut(write_ros1_bag(tmp_path / "drive.bag", many(), compression=compression), 0.7)
    records, flaw = read(path)
    assert flaw is not None and "cut off or damaged" in flaw
    assert records == sent(many())[: len(records)] and len(records) > 45


def test_messages_of_big_endian_machines_are_read(tmp_path: Path) -> None:
    with open_bag(write_bag(tmp_path / "drive", big_endian=True)) as bag:
        first, camera = next(bag.records([IMAGE])), next(bag.records([INFO]))
    assert bytes(encode(decode(first.data, Image))) == sent()[1].data
    assert bytes(encode(decode(camera.data, CameraInfo))) == sent()[2].data


def test_a_damaged_chunk_in_the_middle_ends_the_bag_and_is_named(tmp_path: Path) -> None:
    folder = write_bag(tmp_path / "drive", many(), compression="storage")
    path = folder / "drive.mcap"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    records, flaw = read(folder)
    assert flaw is not None and f"damaged after {len(records)} messages" in flaw
    assert records == sent(many())[: len(records)]


def test_only_the_wanted_topics_are_given(tmp_path: Path) -> None:
    with open_bag(write_bag(tmp_path / "drive")) as bag:
        assert {record.topic for record in bag.records([INFO, EMPTY])} == {INFO}
        assert list(bag.records([EMPTY])) == [] and list(bag.records([])) == []


def test_files_of_a_bag_follow_their_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "split"
    folder.mkdir()
    for number in (10, 9):
        part = write_bag(tmp_path / f"part{number}", messages(number)[-3:-2])
        (part / f"part{number}.mcap").rename(folder / f"drive_{number}.mcap")
    with open_bag(folder) as bag:
        times = [record.time_ns for record in bag.records([EXTRA])]
    assert times == [messages(9)[-3].time_ns, messages(10)[-3].time_ns]


def test_an_old_bag_without_definitions_is_read(tmp_path: Path) -> None:
    """Humble's SQLite bags record no definitions of types."""
    folder = write_bag(tmp_path / "drive", storage="sqlite3", old=True)
    with closing(sqlite3.connect(folder / "drive.db3")) as database:
        database.executescript("DROP TABLE message_definitions; DROP TABLE schema; DROP TABLE metadata;")
    records, flaw = read(folder)
    assert records == sent() and flaw is None


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("none", None, "does not exist, expected a bag"),
        ("photo.jpg", b"\xff\xd8", "is not a bag .*, expected a folder, .mcap, .db3 or .bag"),
        ("noise.mcap", b"noise", "no message that can be read"),
        ("noise.db3", b"noise", "no message that can be read"),
        ("noise.bag", b"noise", "does not begin as a ROS 1 bag"),
        ("noise.mcap.zstd", b"noise", "no message that can be read"),
        ("empty.mcap.zstd", zstandard.compress(b""), "no message that can be read"),
    ],
)
def test_what_is_not_a_bag_is_refused_in_a_line(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as error, open_bag(path):
        pass
    assert "\n" not in str(error.value) and name in str(error.value)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no .mcap, .db3 or .bag file"), open_bag(tmp_path):
        pass
