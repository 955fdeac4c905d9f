"""A ROS 1 bag that is cut off, or was never indexed, read chunk by chunk.

Source: wiki.ros.org/Bags/Format/2.0
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from rosbags.interfaces import Connection, ConnectionExtRosbag1, MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag1.reader import Header, RecordType, decompressors, normalize, read_bytes, read_uint32
from rosbags.typesys.msg import normalize_msgtype

from ...engine.errors import InputError
from ...engine.system.files import open_file
from .bag import REMEDY, Record, Topic
from .ros1_types import LATCHED, Ros1Types

_MAGIC = b"#ROSBAG V2.0\n"


class CutRos1:
    """A ROS 1 bag; see Storage in cut_bag.py. Of a chunk that is cut, no message is read."""

    def __init__(self, path: Path) -> None:
        self.flaw: str | None = None
        self._path = path
        self._connections: dict[int, Connection] = {}
        self._types: Ros1Types | None = None

    def records(self) -> Iterator[Record]:
        """Yield all messages in the order of the file."""
        with open_file(self._path) as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(_MAGIC)) != _MAGIC:
                raise InputError(f"{self._path} does not begin as a ROS 1 bag of version 2.0; {REMEDY}")
            end = file.tell()
            try:
                while end < size:
                    for connection, time_ns, data in self._chunk(file):
                        yield Record(connection.topic, time_ns, self._known_types().to_cdr(connection.msgtype, data))
                    end = file.tell()
            except GeneratorExit:
                raise
            except Exception:  # rosbags, bz2 and lz4 each have errors for damaged records
                self.flaw = f"{self._path.name} ends or is damaged after byte {end}"

    def topics(self) -> list[Topic]:
        """Return the topics."""
        types = self._known_types()
        return [
            Topic(
                found.topic,
                found.msgtype,
                types.definition(found.msgtype),
                (LATCHED,) if getattr(found.ext, "latching", None) else (),
                0,
            )
            for found in self._connections.values()
        ]

    def _known_types(self) -> Ros1Types:
        if self._types is None:
            self._types = Ros1Types(self._connections.values())
        return self._types

    def _chunk(self, file: BinaryIO) -> list[tuple[Connection, int, bytes]]:
        """Read a record of the file; return the messages of a chunk, none of another record."""
        header = Header.read(file)
        content = read_bytes(file, read_uint32(file))
        if header.get_uint8("op") != RecordType.CHUNK:
            return []
        content = decompressors[header.get_string("compression")](content)
        chunk, messages = BytesIO(content), []
        while chunk.tell() < len(content):
            inner = Header.read(chunk)
            data = read_bytes(chunk, read_uint32(chunk))
            if inner.get_uint8("op") == RecordType.CONNECTION:
                self._connect(inner, data)
            elif inner.get_uint8("op") == RecordType.MSGDATA:
                messages.append((self._connections[inner.get_uint32("conn")], inner.get_time("time"), data))
        return messages

    def _connect(self, header: Header, data: bytes) -> None:
        number = header.get_uint32("conn")
        if number in self._connections:
            return
        fields = Header.read(BytesIO(len(data).to_bytes(4, "little") + data))
        latching = fields.get_string("latching") if "latching" in fields else ""
        self._types = None  # knows too few types now
        self._connections[number] = Connection(
            number,
            normalize(header.get_string("topic")),
            normalize_msgtype(fields.get_string("type")),
            MessageDefinition(MessageDefinitionFormat.MSG, fields.get_string("message_definition")),
            fields.get_string("md5sum"),
            0,
            ConnectionExtRosbag1(None, int(latching) if latching else None),
            self,
        )
