"""A bag that is cut off, or lacks its index: everything before the cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ...engine.errors import InputError
from .bag import REMEDY, Record, Topic, merged
from .cut_mcap import CutMcap
from .cut_ros1 import CutRos1
from .cut_sqlite import CutSqlite


class Storage(Protocol):
    """A file of a bag, read from its beginning to its end or to where it is cut.

    Args:
        flaw: Where and why it ends early; None if it is whole. Known once all records are read.
    """

    flaw: str | None

    def __init__(self, path: Path) -> None: ...

    def records(self) -> Iterator[Record]:
        """Yield all messages, from the first on each time."""

    def topics(self) -> list[Topic]:
        """Return the topics; known once all records are read, their counts are 0."""


_READERS: dict[str, type[Storage]] = {".mcap": CutMcap, ".db3": CutSqlite, ".bag": CutRos1}


class CutBag:
    """The files of a bag in their order; see Bag. They are read once when it is opened, for their topics and counts.

    Args:
        path: For messages.
        files: Of the bag.
        reason: Why it is not read as a whole bag.

    Raises:
        InputError: A file is not of a bag, or no message can be read.
    """

    def __init__(self, path: Path, files: Sequence[Path], reason: str) -> None:
        self._storages = [_storage(file, path, reason) for file in files]
        self.times_ns: tuple[int, int] | None = None
        counts: Counter[str] = Counter()
        for record in (record for storage in self._storages for record in storage.records()):
            counts[record.topic] += 1
            start_ns, end_ns = self.times_ns or (record.time_ns, record.time_ns)
            self.times_ns = min(start_ns, record.time_ns), max(end_ns, record.time_ns)
        topics = merged([topic for storage in self._storages for topic in storage.topics()])
        self.topics: dict[str, Topic] = {name: replace(topic, messages=counts[name]) for name, topic in topics.items()}
        if not counts:
            raise InputError(f"{path} has no message that can be read ({reason}), expected a bag; {REMEDY}")
        cut = next((flaw for storage in self._storages if (flaw := storage.flaw)), None)
        self.flaw: str | None = None
        if cut is not None:
            self.flaw = f"{path} is cut off or damaged ({cut}); the {counts.total()} messages before are read"

    def records(self, names: Collection[str]) -> Iterator[Record]:
        """Yield the messages of some topics, in the order in which they were written."""
        for storage in self._storages:
            for record in storage.records():
                if record.topic in names:
                    yield record

    def close(self) -> None:
        """Do nothing: files are open only while they are read."""


def _storage(file: Path, path: Path, reason: str) -> Storage:
    reader = _READERS.get(file.suffix)
    if reader is None:
        raise InputError(f"{path} is not a bag ({reason}), expected a folder, .mcap, .db3 or .bag; {REMEDY}")
    return reader(file)
