"""What every reader of bags gives: topics, and messages as CDR bytes in the order of time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from rosbags.interfaces import Qos

from ..messages.types import Definition

REMEDY = "check the path, or record again"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a bag.

    Args:
        name: With its namespace: "/front/image_raw".
        type: In ROS 2's spelling: "sensor_msgs/msg/Image".
        definition: Of the type.
        qos: Profiles of its publishers; empty if the bag has none.
        messages: Number of them.
    """

    name: str
    type: str
    definition: Definition
    qos: tuple[Qos, ...]
    messages: int


class Record(NamedTuple):
    """A message of a bag.

    Args:
        topic: Its name.
        time_ns: When it was recorded, in nanoseconds since 1970.
        data: CDR bytes.
    """

    topic: str
    time_ns: int
    data: bytes | memoryview


class Bag(Protocol):
    """An open bag.

    Args:
        topics: By name.
        times_ns: Of the first and the last message; None if there is none.
        flaw: Why not all of it can be read, and what is; None if it is whole. Known once all messages are read.
    """

    topics: dict[str, Topic]
    times_ns: tuple[int, int] | None
    flaw: str | None

    def records(self, names: Collection[str]) -> Iterator[Record]:
        """Yield the messages of some topics, in the order of time; of a cut bag up to the cut."""

    def close(self) -> None:
        """Close its files."""


def merged(topics: list[Topic]) -> dict[str, Topic]:
    """Return topics by name; publishers and files that share one count together."""
    found: dict[str, Topic] = {}
    for topic in topics:
        known = found.get(topic.name)
        if known is None:
            found[topic.name] = topic
            continue
        qos = known.qos + tuple(profile for profile in topic.qos if profile not in known.qos)
        whole = topic.definition if not known.definition.text else known.definition
        found[topic.name] = Topic(known.name, known.type, whole, qos, known.messages + topic.messages)
    return found
