"""metadata.yaml of a rosbag2: which files it has, and which topics.

Version 8, which ROS 2 reads from Humble on: QoS profiles are a text of YAML in it.
Source: ros2/rosbag2 rosbag2_storage/src/rosbag2_storage/yaml.hpp
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mcap.exceptions import McapError
from mcap.reader import make_reader
from rosbags.rosbag2.metadata import dump_qos_v8
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ...engine.errors import InputError
from ...engine.system.files import atomic_path, open_file
from ..reading.bag import Topic
from .record import NAME, REMEDY, BagRecord

FILE = "metadata.yaml"
_VERSION = 8
_WIDTH = 1 << 20  # columns: no text is folded
_INFORMATION = "rosbag2_bagfile_information"
_NEVER_NS = (1 << 63) - 1  # start of a bag without messages, as rosbag2 has it


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a bag.

    Args:
        name: In the bag's folder.
        start_ns, end_ns: Times of its first and last message.
        counts: Number of messages by topic.
    """

    name: str
    start_ns: int
    end_ns: int
    counts: Mapping[str, int]


def write_metadata(folder: Path, topics: Sequence[Topic], parts: Sequence[Part], record: BagRecord) -> None:
    """Write the file, whole or not at all.

    Raises:
        InputError: The disk refuses.
    """
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    information = {
        "version": _VERSION,
        "storage_identifier": "mcap",
        **_span(parts),
        "topics_with_message_count": [_topic(topic, counts[topic.name]) for topic in topics],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": [part.name for part in parts],
        "files": [{"path": part.name, **_span([part])} for part in parts],
        "custom_data": {NAME: record.to_json()},
        "ros_distro": "",
    }
    text = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = False, _WIDTH
    yaml.dump({_INFORMATION: information}, text)
    with atomic_path(folder / FILE) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def read_metadata(folder: Path) -> tuple[BagRecord, list[Part]]:
    """Return what write_metadata wrote.

    Raises:
        InputError: The folder is not a bag that depthrt wrote.
    """
    try:
        found: Any = YAML(typ="safe", pure=True).load((folder / FILE).read_text(encoding="utf-8"))
        information = found[_INFORMATION]
        record = BagRecord.from_json(information["custom_data"][NAME])
        return record, [_read_part(folder / Path(name).name) for name in information["relative_file_paths"]]
    except InputError:
        raise
    except (OSError, YAMLError, McapError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{folder} is not a bag that depthrt wrote ({reason:.200}); {REMEDY}") from error


def _span(parts: Sequence[Part]) -> dict[str, object]:
    """Return the times and the number of the messages of some files."""
    with_messages = [part for part in parts if part.counts]
    start = min((part.start_ns for part in with_messages), default=_NEVER_NS)
    end = max((part.end_ns for part in with_messages), default=start)
    return {
        "duration": {"nanoseconds": end - start},
        "starting_time": {"nanoseconds_since_epoch": start},
        "message_count": sum(sum(part.counts.values()) for part in parts),
    }


def _topic(topic: Topic, count: int) -> dict[str, object]:
    return {
        "topic_metadata": {
            "name": topic.name,
            "type": topic.type,
            "serialization_format": "cdr",
            "offered_qos_profiles": dump_qos_v8(list(topic.qos)),
            "type_description_hash": topic.definition.digest,
        },
        "message_count": count,
    }


def _read_part(path: Path) -> Part:
    """Return what a file's own summary says of it."""
    with open_file(path) as file:
        summary = make_reader(file).get_summary()
    if summary is None or summary.statistics is None:
        raise ValueError(f"{path.name} has no summary")
    counts = summary.statistics.channel_message_counts
    by_topic = {channel.topic: counts[number] for number, channel in summary.channels.items() if counts.get(number)}
    return Part(path.name, summary.statistics.message_start_time, summary.statistics.message_end_time, by_topic)
