"""metadata.yaml is what ROS 2 reads from Humble on, and what a resumed run goes on by."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_bag_record import RECORD
from made_bags import QOS
from rosbags.rosbag2 import Reader
from ruamel.yaml import YAML

from depthrt import InputError
from depthrt.robots.messages.types import Image, definition
from depthrt.robots.reading.bag import Topic
from depthrt.robots.writing.bag_writer import BagWriter
from depthrt.robots.writing.metadata_file import Part, read_metadata, write_metadata

TOPIC = Topic("/a", "sensor_msgs/msg/Image", definition(Image), (QOS,), 0)


def test_times_and_counts_are_those_of_all_files(tmp_path: Path) -> None:
    parts = [Part("a_0.mcap", 50, 90, {"/a": 3}), Part("a_1.mcap", 20, 60, {"/a": 2}), Part("a_2.mcap", 0, 0, {})]
    write_metadata(tmp_path, [TOPIC], parts, RECORD)
    found = YAML(typ="safe").load((tmp_path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert found["version"] == 8 and found["storage_identifier"] == "mcap" and found["message_count"] == 5
    assert found["starting_time"]["nanoseconds_since_epoch"] == 20 and found["duration"]["nanoseconds"] == 70
    assert found["relative_file_paths"] == ["a_0.mcap", "a_1.mcap", "a_2.mcap"]
    (topic,) = found["topics_with_message_count"]
    assert topic["message_count"] == 5 and topic["topic_metadata"]["type_description_hash"].startswith("RIHS01_")
    (profile,) = YAML(typ="safe").load(topic["topic_metadata"]["offered_qos_profiles"])
    assert profile["depth"] == 5 and profile["reliability"] == QOS.reliability.value


def test_a_bag_without_messages_is_read_by_rosbags(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    BagWriter(folder, [TOPIC]).close(RECORD, {})
    with Reader(folder) as reader:
        assert reader.message_count == 0 and list(reader.messages()) == []
    record, (part,) = read_metadata(folder)
    assert record == RECORD and part.counts == {}


@pytest.mark.parametrize(
    "content",
    [None, "", "- 1", "a: [", "rosbag2_bagfile_information: {custom_data: null}", "rosbag2_bagfile_information: 7"],
)
def test_a_folder_that_depthrt_did_not_write_is_refused_in_a_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "metadata.yaml").write_text(content)
    with pytest.raises(InputError, match="is not a bag that depthrt wrote") as error:
        read_metadata(tmp_path)
    assert "\n" not in str(error.value)


def test_a_missing_file_of_the_bag_is_named(tmp_path: Path) -> None:
    write_metadata(tmp_path, [TOPIC], [Part("gone.mcap", 1, 2, {"/a": 1})], RECORD)
    with pytest.raises(InputError, match=r"gone.mcap"):
        read_metadata(tmp_path)
