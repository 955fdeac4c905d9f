"""An MCAP file without its end, or without an index, read record by record."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import zstandard
from mcap.opcode import Opcode
from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from rosbags.rosbag2.metadata import parse_qos

from ...engine.errors import InputError
from ...engine.system.files import open_file
from ..messages.types import Definition
from .bag import Record, Topic
from .message_compression import inflated

_MOST_BYTES = 1 << 32  # of a record
_SIZE = 8  # bytes of a length
_CHUNK_COMPRESSION = _SIZE + 28  # bytes from the kind of a chunk to the name of its compression. Source: mcap.dev/spec
_INFLATE: dict[bytes, Callable[[bytes], bytes]] = {
    b"": bytes,
    b"zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


class _Ends(Exception):
    """The file has fewer bytes than a record says."""


class _Exact:
    """A file whose every read gives all bytes or raises, as a short record would pass for a whole one.

    Args:
        record_at: Where the last record begins.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.record_at = 0

    def read(self, count: int) -> bytes:
        if count == 1:  # the kind of a record
            self.record_at = self._file.tell()
        data = self._file.read(count)
        if len(data) < count:
            raise _Ends
        return data


class CutMcap:
    """An MCAP file; see Storage in cut_bag.py. Of a chunk that is cut, the messages before the cut are read."""

    def __init__(self, path: Path) -> None:
        self.flaw: str | None = None
        self._path = path
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}

    def records(self) -> Iterator[Record]:
        """Yield all messages in the order of the file."""
        with open_file(self._path) as file:
            exact = _Exact(file)
            try:
                yield from self._messages(StreamReader(exact, record_size_limit=_MOST_BYTES))  # type: ignore[arg-type]
            except GeneratorExit:
                raise
            except _Ends:
                self.flaw = f"{self._path.name} ends at byte {file.tell()}"
                yield from self._messages_of_chunk(file, exact.record_at)
            except Exception as error:  # mcap has errors of many kinds for damaged records
                place = f"{self._path.name} is damaged near byte {file.tell()}"
                self.flaw = f"{place}: {error}" if isinstance(error, InputError) else place

    def _messages(self, stream: StreamReader) -> Iterator[Record]:
        for record in stream.records:
            if isinstance(record, Schema):
                self._schemas[record.id] = record
            elif isinstance(record, Channel):
                self._channels[record.id] = record
            elif isinstance(record, Message):
                yield Record(self._channels[record.channel_id].topic, record.log_time, inflated(record.data))

    def _messages_of_chunk(self, file: IO[bytes], at: int) -> Iterator[Record]:
        """Yield the messages of a chunk that is cut, unless it is compressed by LZ4."""
        file.seek(at)
        if file.read(1) != bytes([Opcode.CHUNK]):
            return
        try:
            file.seek(_CHUNK_COMPRESSION, os.SEEK_CUR)
            compression = file.read(int.from_bytes(file.read(4), "little"))
            file.seek(_SIZE, os.SEEK_CUR)
            content = _INFLATE[compression](file.read())
            yield from self._messages(StreamReader(_Exact(BytesIO(content)), skip_magic=True))  # type: ignore[arg-type]
        except GeneratorExit:
            raise
        except Exception:  # the cut
            return

    def topics(self) -> list[Topic]:
        """Return the topics."""
        return [self._topic(channel) for channel in self._channels.values()]

    def _topic(self, channel: Channel) -> Topic:
        schema = self._schemas.get(channel.schema_id)
        digest = channel.metadata.get("topic_type_hash", "")
        qos = tuple(parse_qos(channel.metadata.get("offered_qos_profiles", "")))
        if schema is None or schema.encoding not in ("ros2msg", "ros2idl"):
            return Topic(channel.topic, schema.name if schema else "", Definition("", "", digest), qos, 0)
        is_idl = schema.encoding == "ros2idl"
        definition = Definition("ros2idl" if is_idl else "ros2msg", schema.data.decode(), digest)
        return Topic(channel.topic, schema.name, definition, qos, 0)
