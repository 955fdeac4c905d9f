"""A bag in; its topics and times out, and of a bag that depthrt wrote also with what its depth was made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mcap.exceptions import McapError
from mcap.reader import make_reader

from ..engine.errors import ContractError, InputError
from ..engine.modelfile.contract import Contract
from ..engine.system.files import open_file
from .reading.bag import Topic
from .reading.open_bag import open_bag, storage_files
from .writing.record import NAME, BagRecord


@dataclass(frozen=True, slots=True)
class Origin:
    """With what the depth in a bag was made.

    Args:
        record: Of the bag.
        contract: Of the model.
        gate: Which points the gate kept in the first image, in words; None without a gate.
    """

    record: BagRecord
    contract: Contract
    gate: str | None


@dataclass(frozen=True, slots=True)
class BagFacts:
    """What a bag holds.

    Args:
        path: Of the bag.
        topics: In the order of their names.
        times_ns: Of the first and the last message, since 1970; None if there is none.
        flaw: Why not all of it can be read; None if its index is whole.
        origin: None for a bag that depthrt did not write.
    """

    path: Path
    topics: tuple[Topic, ...]
    times_ns: tuple[int, int] | None
    flaw: str | None
    origin: Origin | None

    @property
    def messages(self) -> int:
        """Return the number of messages."""
        return sum(topic.messages for topic in self.topics)

    @property
    def seconds(self) -> float:
        """Return the time from the first message to the last."""
        return 0.0 if self.times_ns is None else (self.times_ns[1] - self.times_ns[0]) / 1e9


def describe_bag(path: Path) -> BagFacts:
    """Return what a bag holds; no message is read unless it lacks its index.

    Raises:
        InputError: The path is missing or is not a bag, or depthrt's record in it is damaged.
    """
    with open_bag(path) as bag:
        topics = tuple(sorted(bag.topics.values(), key=lambda topic: topic.name))
        return BagFacts(path, topics, bag.times_ns, bag.flaw, _origin(path))


def _origin(path: Path) -> Origin | None:
    """Return what the last file of a bag that has depthrt's record says."""
    for file in reversed(storage_files(path)):
        found = _record(file) if file.suffix == ".mcap" else None
        if found is None:
            continue
        try:
            contract = Contract.from_json(found["contract"])
            return Origin(BagRecord.from_json(found["record"]), contract, found.get("gate"))
        except (KeyError, ContractError) as error:
            raise InputError(f"{file}: the record of depthrt is damaged ({error}); write the bag again") from error
    return None


def _record(file: Path) -> dict[str, str] | None:
    """Return depthrt's metadata in an MCAP file; None if there is none, or the file is cut before it."""
    try:
        with open_file(file) as opened:
            return next((one.metadata for one in make_reader(opened).iter_metadata() if one.name == NAME), None)
    except (McapError, ValueError):
        return None
