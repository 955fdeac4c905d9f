"""A whole rosbag2, a folder or a file of it, or a whole ROS 1 bag, read by rosbags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinitionFormat
from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2

from ...engine.errors import InputError
from ..messages.types import Definition
from .bag import Record, Topic, merged
from .message_compression import inflated
from .names import ROS1_SUFFIX
from .ros1_types import LATCHED, Ros1Types

_MAY_FAIL = Exception  # rosbags raises its own errors, and those of its parsers of YAML, SQLite and zstd


class WholeBag:
    """A bag that rosbags opens; see Bag.

    Raises:
        InputError: rosbags refuses it.
    """

    def __init__(self, path: Path) -> None:
        self.flaw: str | None = None
        self._path = path
        try:
            self._reader = Reader1(path) if path.suffix == ROS1_SUFFIX else Reader2(path)
            self._reader.open()
        except _MAY_FAIL as error:
            raise InputError(f"{path} is not a whole bag: {error}") from error
        self._ros1 = Ros1Types(self._connections()) if isinstance(self._reader, Reader1) else None
        self.topics = merged([self._topic(connection) for connection in self._connections()])
        self.times_ns = self._times_ns()

    def records(self, names: Collection[str]) -> Iterator[Record]:
        """Yield the messages of some topics; a damaged part ends them and is the bag's flaw."""
        wanted = [found for found in self._connections() if self._is_topic(found) and found.topic in names]
        if not wanted:
            return
        count = 0
        try:
            for connection, time_ns, data in self._reader.messages(wanted):
                if self._ros1 is not None:
                    yield Record(connection.topic, time_ns, self._ros1.to_cdr(connection.msgtype, data))
                else:
                    yield Record(connection.topic, time_ns, inflated(data))
                count += 1
        except GeneratorExit:
            raise
        except _MAY_FAIL as error:
            self.flaw = f"{self._path} is damaged after {count} messages that were read: {error}"

    def close(self) -> None:
        """Close its files."""
        self._reader.close()

    def _times_ns(self) -> tuple[int, int] | None:
        if not any(topic.messages for topic in self.topics.values()):
            return None
        start_ns = self._reader.start_time
        return start_ns, start_ns + self._reader.duration

    def _connections(self) -> list[Connection]:
        return self._reader.connections

    def _is_topic(self, connection: Connection) -> bool:
        """Whether a connection has the type of its topic; another type under the same name is left out."""
        return self.topics[connection.topic].type == connection.msgtype

    def _topic(self, connection: Connection) -> Topic:
        name, type = connection.topic, connection.msgtype
        if self._ros1 is not None:
            latched = bool(getattr(connection.ext, "latching", None))
            definition = self._ros1.definition(type)
            return Topic(name, type, definition, (LATCHED,) if latched else (), connection.msgcount)
        assert isinstance(connection.ext, ConnectionExtRosbag2)
        return Topic(
            name, type, _definition(connection), tuple(connection.ext.offered_qos_profiles), connection.msgcount
        )


def _definition(connection: Connection) -> Definition:
    text = connection.msgdef.data
    if connection.msgdef.format == MessageDefinitionFormat.NONE:
        return Definition("", "", connection.digest)
    is_idl = connection.msgdef.format == MessageDefinitionFormat.IDL
    return Definition("ros2idl" if is_idl else "ros2msg", text, connection.digest)
