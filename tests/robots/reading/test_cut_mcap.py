"""An MCAP file is read up to the record at which it ends, whatever the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bags import EXTRA, IMAGE, QOS, cut, many, write_bag

from depthrt.robots.messages.types import encode
from depthrt.robots.reading.cut_mcap import CutMcap

MANY = 60
PICTURE, SMALL = 160 * 208 * 3 + 9000, 60_000  # bytes of an image with what goes with it, and of all definitions


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return (write_bag(tmp_path_factory.mktemp("bags") / "drive", many()) / "drive.mcap").read_bytes()


def test_a_whole_file_has_no_flaw(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "drive.mcap"
    path.write_bytes(whole)
    storage = CutMcap(path)
    assert len(list(storage.records())) == 3 * MANY and storage.flaw is None
    topics = {topic.name: topic for topic in storage.topics()}
    assert topics[IMAGE].type == "sensor_msgs/msg/Image" and topics[EXTRA].qos == (QOS,)
    assert topics[IMAGE].definition.format == "ros2msg"


def test_wherever_it_is_cut_every_message_before_the_cut_is_read(whole: bytes, tmp_path: Path) -> None:
    expected = [(one.topic, one.time_ns, bytes(encode(one.message))) for one in many()]
    path = tmp_path / "drive.mcap"
    for size in [*range(0, 60, 7), *range(60, len(whole), 500_003)]:
        path.write_bytes(whole[:size])
        storage = CutMcap(path)
        records = [(record.topic, record.time_ns, record.data) for record in storage.records()]
        assert storage.flaw is not None and "drive.mcap" in storage.flaw
        assert records == expected[: len(records)]
        assert len(records) >= 3 * (size - SMALL) // PICTURE - 3
    assert len(records) > MANY


def test_a_file_of_zeros_at_its_end_is_damaged_there(whole: bytes, tmp_path: Path) -> None:
    """A disk that loses power leaves zeros."""
    path = tmp_path / "drive.mcap"
    half = len(whole) // 2
    path.write_bytes(whole[:half] + bytes(len(whole) - half))
    storage = CutMcap(path)
    assert len(list(storage.records())) > MANY // 2 and storage.flaw is not None


def test_a_compressed_chunk_that_is_cut_gives_the_messages_before_the_cut(tmp_path: Path) -> None:
    path = cut(write_bag(tmp_path / "drive", many()[:60], compression="storage") / "drive.mcap", 0.4)
    storage = CutMcap(path)
    assert 10 < len(list(storage.records())) < 60 and storage.flaw is not None
