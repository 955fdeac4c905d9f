"""The record in the header of a .safetensors checkpoint of depthrt: family, kind, maximum depth, licence, notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...engine.errors import InputError, ModelFileError
from ...engine.system.field_types import Positive, Sentence
from ...engine.system.records import Mismatch, check_record, read_record, to_json_object
from ...engine.terms import Family, Kind
from ..families.claim import Claim
from .recognise import check_options

_PREFIX = "depthrt."
_NOTE = f"{_PREFIX}note."
_NUMBER = re.compile(r"[0-9.eE+-]+")


@dataclass(frozen=True, slots=True)
class Record:
    """What a checkpoint of depthrt records of itself; the header holds each field as text, and leaves out None.

    Args:
        family, kind, max_depth_m, licence: As in Claim.
    """

    FORMAT: ClassVar[int] = 1  # version of the keys; a reader refuses others

    family: Family
    kind: Kind
    max_depth_m: Positive | None
    licence: Sentence | None

    def check(self) -> None:
        """Raise Mismatch for values that no network has together."""
        if (self.kind == "metric") != (self.max_depth_m is not None):
            found = "missing" if self.max_depth_m is None else f"{self.max_depth_m:g}"
            expected = "metres" if self.kind == "metric" else "none"
            raise Mismatch(".max_depth_m", f"is {found}, expected {expected} for kind {self.kind}")
        try:
            check_options(self.family, self.kind, self.max_depth_m)
        except InputError:
            raise Mismatch(".kind", f"is {self.kind}, expected inverse for family {self.family}") from None


def write_metadata(claim: Claim, notes: Mapping[str, str]) -> dict[str, str]:
    """Return a record and notes as texts for a safetensors header.

    Args:
        claim: With family and kind, and the maximum depth of a metric network.
        notes: Recorded under their names.

    Raises:
        InputError: The values contradict each other, or read_claim would refuse them.
    """
    check_options(claim.family, claim.kind, claim.max_depth_m)
    if claim.kind == "metric" and claim.max_depth_m is None:
        raise InputError("a metric checkpoint needs max_depth_m; give the metres that the network was built with")
    assert claim.family is not None and claim.kind is not None
    record = Record(claim.family, claim.kind, claim.max_depth_m, claim.licence)
    check_record(record, name="record", remedy="give another value", failure=InputError)
    values = {key: value for key, value in to_json_object(record).items() if value is not None}
    texts = {
        f"{_PREFIX}{key}": repr(value) if isinstance(value, float) else str(value) for key, value in values.items()
    }
    return texts | {f"{_NOTE}{key}": value for key, value in notes.items()}


def read_claim(metadata: Mapping[str, str], path: Path) -> Claim | None:
    """Return what a safetensors header says, or None if it has no record of depthrt.

    Raises:
        ModelFileError: Another version wrote the record, or it was changed since.
    """
    ours = {
        key.removeprefix(_PREFIX): text
        for key, text in metadata.items()
        if key.startswith(_PREFIX) and not key.startswith(_NOTE)
    }
    if not ours:
        return None
    found: dict[str, object] = {"max_depth_m": None, "licence": None, **ours}
    for key, read in (("format", int), ("max_depth_m", float)):
        found[key] = _number(ours.get(key), read)
    record = read_record(Record, found, name=f"{path}: record", remedy="save it again", failure=ModelFileError)
    return Claim("its own record", record.family, record.kind, record.max_depth_m, record.licence)


def read_notes(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the notes of a record, by name."""
    return {key.removeprefix(_NOTE): text for key, text in metadata.items() if key.startswith(_NOTE)}


def _number(text: str | None, read: type[int] | type[float]) -> object:
    """Return the number that a text holds, or the text itself, which the reader of records then refuses."""
    if text is None or not _NUMBER.fullmatch(text):
        return text
    try:
        return read(text)
    except ValueError:
        return text
