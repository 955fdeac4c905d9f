"""An SQLite file of a rosbag2 that is cut off, read row by row in the order of writing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from rosbags.rosbag2.metadata import parse_qos

from ..messages.types import Definition
from .bag import Record, Topic
from .message_compression import inflated


class CutSqlite:
    """An SQLite file; see Storage in cut_bag.py. SQLite must be told to read one that is shorter than it says."""

    def __init__(self, path: Path) -> None:
        self.flaw: str | None = None
        self._path = path

    def records(self) -> Iterator[Record]:
        """Yield all messages in the order in which they were written."""
        try:
            with closing(self._connect()) as connection:
                names = dict(connection.execute("SELECT id, name FROM topics"))
                for topic, time_ns, data in connection.execute(
                    "SELECT topic_id, timestamp, data FROM messages ORDER BY id"
                ):
                    yield Record(names[topic], time_ns, inflated(data))
        except (sqlite3.Error, KeyError) as error:
            self.flaw = f"{self._path.name}: {error}"

    def topics(self) -> list[Topic]:
        """Return the topics."""
        try:
            with closing(self._connect()) as connection:
                connection.row_factory = sqlite3.Row
                definitions = _definitions(connection)
                return [_topic(dict(row), definitions) for row in connection.execute("SELECT * FROM topics")]
        except (sqlite3.Error, KeyError) as error:
            self.flaw = f"{self._path.name}: {error}"
            return []

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{quote(str(self._path))}?immutable=1", uri=True, check_same_thread=False)
        connection.execute("PRAGMA writable_schema = ON")  # lets the file be shorter; it is opened for reading only
        return connection


def _topic(row: dict[str, str], definitions: dict[str, Definition]) -> Topic:
    digest = row.get("type_description_hash") or ""
    definition = definitions.get(row["type"], Definition("", "", digest))
    return Topic(row["name"], row["type"], definition, tuple(parse_qos(row.get("offered_qos_profiles") or "")), 0)


def _definitions(connection: sqlite3.Connection) -> dict[str, Definition]:
    """Return the recorded types by name; bags of Humble and older record none."""
    try:
        rows = list(connection.execute("SELECT * FROM message_definitions"))
    except sqlite3.Error:
        return {}
    found: dict[str, Definition] = {}
    for row in rows:
        format, digest = row["encoding"], row["type_description_hash"] or ""
        if format in ("ros2msg", "ros2idl"):
            found[row["topic_type"]] = Definition(format, row["encoded_message_definition"], digest)
    return found
