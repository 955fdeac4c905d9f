"""A written bag is read by rosbags and by mcap; it is whole after each of its files, and never half."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from made_bag_record import RECORD
from made_bags import EMPTY, EXTRA, IMAGE, QOS, messages
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from depthrt.robots.messages.types import Image, definition, encode
from depthrt.robots.reading.bag import Record, Topic
from depthrt.robots.writing.bag_writer import MOST_BYTES, BagWriter, UnwritableBag
from depthrt.robots.writing.metadata_file import read_metadata

KINDS = {IMAGE: Image, "/other/image_raw": Image, EMPTY: Image}
TOPICS = [Topic(name, kind.__msgtype__, definition(kind), (QOS,), 0) for name, kind in KINDS.items()]
RECORDS = [Record(one.topic, one.time_ns, encode(one.message)) for one in messages(6) if one.topic == IMAGE]
FACTS = {"contract": "{}", "drift": "1e-06"}


def write(folder: Path, records: list[Record], *, most_bytes: int = MOST_BYTES) -> BagWriter:
    folder.mkdir(exist_ok=True)
    writer = BagWriter(folder, TOPICS, most_bytes=most_bytes)
    for record in records:
        writer.write([record], RECORD, FACTS)
    return writer


def read(folder: Path) -> list[Record]:
    with AnyReader([folder]) as reader:
        assert {topic: info.msgcount for topic, info in reader.topics.items()}[EMPTY] == 0
        assert all(connection.ext.offered_qos_profiles == [QOS] for connection in reader.connections)  # type: ignore[union-attr]
        return [Record(connection.topic, time_ns, data) for connection, time_ns, data in reader.messages()]


def test_rosbags_reads_what_was_written(tmp_path: Path) -> None:
    write(tmp_path / "depth", RECORDS).close(RECORD, FACTS)
    assert read(tmp_path / "depth") == [record._replace(data=bytes(record.data)) for record in RECORDS]
    assert sorted(path.name for path in (tmp_path / "depth").iterdir()) == ["depth_0.mcap", "metadata.yaml"]


def test_mcap_reads_the_messages_their_types_and_the_record(tmp_path: Path) -> None:
    write(tmp_path / "depth", RECORDS).close(RECORD, FACTS)
    with (tmp_path / "depth" / "depth_0.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        found = list(reader.iter_messages())
        assert [message.log_time for _, _, message in found] == [record.time_ns for record in RECORDS]
        schema, channel, message = found[0]
        assert schema is not None and schema.name == "sensor_msgs/msg/Image" and schema.encoding == "ros2msg"
        assert channel.metadata["topic_type_hash"].startswith("RIHS01_") and message.data == bytes(RECORDS[0].data)
        (about,) = list(reader.iter_metadata())
        assert about.name == "depthrt" and about.metadata == {"record": RECORD.to_json(), **FACTS}
        assert reader.get_header().profile == "ros2"


def test_a_large_bag_has_several_files_that_are_one_bag(tmp_path: Path) -> None:
    size = len(RECORDS[0].data)
    write(tmp_path / "depth", RECORDS, most_bytes=2 * size).close(RECORD, FACTS)
    names = sorted(path.name for path in (tmp_path / "depth").glob("*.mcap"))
    assert names == [f"depth_{number}.mcap" for number in range(4)], "the last one has no message"
    assert len(read(tmp_path / "depth")) == 6


def test_the_bag_is_whole_after_each_file_whatever_happens_then(tmp_path: Path) -> None:
    size = len(RECORDS[0].data)
    write(tmp_path / "depth", RECORDS[:5], most_bytes=2 * size).abort()
    assert len(read(tmp_path / "depth")) == 4
    assert not [path for path in (tmp_path / "depth").iterdir() if path.name.startswith(".")]


def test_another_run_goes_on_in_a_new_file(tmp_path: Path) -> None:
    write(tmp_path / "depth", RECORDS[:2]).close(RECORD, FACTS)
    record, parts = read_metadata(tmp_path / "depth")
    writer = BagWriter(tmp_path / "depth", TOPICS, earlier=parts)
    writer.write(RECORDS[2:], record, FACTS)
    writer.close(RECORD, FACTS)
    assert read(tmp_path / "depth") == [record._replace(data=bytes(record.data)) for record in RECORDS]


def test_a_full_disk_is_an_error_of_a_line_and_leaves_the_files_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(RECORDS[0].data)
    writer = write(tmp_path / "depth", RECORDS[:3], most_bytes=2 * size)
    from depthrt.robots.writing import bag_writer

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bag_writer._File, "write", full)
    with pytest.raises(UnwritableBag, match="depth cannot be written: No space left on device"):
        writer.write(RECORDS[3:], RECORD, FACTS)
    assert len(read(tmp_path / "depth")) == 2
    assert sorted(path.name for path in (tmp_path / "depth").iterdir()) == ["depth_0.mcap", "metadata.yaml"]


def test_topics_of_a_type_share_its_definition(tmp_path: Path) -> None:
    write(tmp_path / "depth", RECORDS).close(RECORD, FACTS)
    with (tmp_path / "depth" / "depth_0.mcap").open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None and len(summary.schemas) == 1 and len(summary.channels) == 3
    assert EXTRA not in {channel.topic for channel in summary.channels.values()}
