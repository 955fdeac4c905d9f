"""Messages in, a rosbag2 of MCAP files out. Its folder is a whole bag after each file, which has at most 1 GiB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from mcap.writer import CompressionType, Writer
from rosbags.rosbag2.metadata import dump_qos_v8

from ...engine.errors import InputError
from ...engine.system.files import atomic_path, remove_unfinished
from ...engine.version import __version__
from ..reading.bag import Record, Topic
from .metadata_file import Part, write_metadata
from .record import NAME, BagRecord

MOST_BYTES = 1 << 30  # of the messages of a file; a run that is killed loses no more


class UnwritableBag(InputError):
    """The disk takes no more of a bag."""


class BagWriter:
    """A bag that grows; not for several threads at once.

    Args:
        folder: Of the bag; it exists.
        topics: Of all messages that are written.
        earlier: Files that a run before has written.
        most_bytes: After which a new file begins.
    """

    def __init__(
        self, folder: Path, topics: Sequence[Topic], *, earlier: Sequence[Part] = (), most_bytes: int = MOST_BYTES
    ) -> None:
        self._folder, self._topics, self._most_bytes = folder, topics, most_bytes
        self._parts = list(earlier)
        self._file = _File(self._path(), topics)

    def write(self, records: Iterable[Record], record: BagRecord, facts: Mapping[str, str]) -> None:
        """Write messages; if the file is full, end it with the record and begin the next.

        Args:
            records: Of the bag's topics.
            record: The bag's, as it is with these messages.
            facts: Texts that stand beside the record in each file.

        Raises:
            UnwritableBag: The disk refuses.
        """
        try:
            for message in records:
                self._file.write(message)
        except OSError as error:
            raise self._unwritable(error) from error
        if self._file.size_bytes >= self._most_bytes:
            self._end(record, facts)
            self._file = _File(self._path(), self._topics)

    def close(self, record: BagRecord, facts: Mapping[str, str]) -> None:
        """End the bag; it can grow on in another run.

        Raises:
            UnwritableBag: The disk refuses; the files before are a whole bag.
        """
        self._end(record, facts)

    def abort(self) -> None:
        """Remove the file that has begun; those before stay."""
        self._file.abort()

    def _path(self) -> Path:
        return self._folder / f"{self._folder.resolve().name}_{len(self._parts)}.mcap"

    def _end(self, record: BagRecord, facts: Mapping[str, str]) -> None:
        try:
            self._parts.append(self._file.end(record, facts))
            write_metadata(self._folder, self._topics, self._parts, record)
        except OSError as error:
            raise self._unwritable(error) from error
        except UnwritableBag:
            raise
        except InputError as error:
            raise UnwritableBag(str(error)) from error

    def _unwritable(self, error: OSError) -> UnwritableBag:
        self.abort()
        return UnwritableBag(f"{self._folder} cannot be written: {error.strerror or error}; free the disk")


class _Abort(Exception):
    """A file that has begun is given up."""


class _File:
    """An MCAP file, under a temporary name until it ends."""

    def __init__(self, path: Path, topics: Sequence[Topic]) -> None:
        remove_unfinished(path)
        self.size_bytes = 0
        self._path = path
        self._counts: Counter[str] = Counter()
        self._start_ns = self._end_ns = 0
        self._stack = ExitStack()
        temporary = self._stack.enter_context(atomic_path(path))
        self._writer = Writer(self._stack.enter_context(temporary.open("wb")), compression=CompressionType.NONE)
        self._writer.start("ros2", f"depthrt {__version__}")
        self._channels = self._register(topics)

    def write(self, message: Record) -> None:
        """Write a message."""
        data, time_ns = message.data, message.time_ns
        self._writer.add_message(self._channels[message.topic], time_ns, data, time_ns)  # type: ignore[arg-type]
        self._start_ns = min(time_ns, self._start_ns) if self._counts else time_ns
        self._end_ns = max(time_ns, self._end_ns)
        self._counts[message.topic] += 1
        self.size_bytes += len(data)

    def end(self, record: BagRecord, facts: Mapping[str, str]) -> Part:
        """Write the record and the index; give the file its name."""
        self._writer.add_metadata(NAME, {"record": record.to_json(), **facts})
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._stack.close()
        return Part(self._path.name, self._start_ns, self._end_ns, dict(self._counts))

    def abort(self) -> None:
        """Remove what has been written."""
        with suppress(_Abort, OSError, InputError), self._stack:
            raise _Abort

    def _register(self, topics: Sequence[Topic]) -> dict[str, int]:
        """Return the channel of each topic; a type that several have is written once."""
        schemas: dict[str, int] = {}
        channels = {}
        for topic in topics:
            kind = topic.definition
            if topic.type not in schemas:
                schemas[topic.type] = self._writer.register_schema(topic.type, kind.format, kind.text.encode())
            about = {"offered_qos_profiles": dump_qos_v8(list(topic.qos)), "topic_type_hash": kind.digest}
            channels[topic.name] = self._writer.register_channel(topic.name, "cdr", schemas[topic.type], about)
        return channels
