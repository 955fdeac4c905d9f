"""JSON files of other programs: objects within limits, and records whose unknown keys are allowed."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from ..engine.errors import ModelFileError
from ..engine.system.files import open_file
from ..engine.system.json_object import parse_object
from ..engine.system.records import read_record, to_json_object

MOST_BYTES = 64 << 20  # of a file; the index of a published model has less than 1 MB
REMEDY = "correct it or download it again"

T = TypeVar("T")


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ModelFileError: The file is too large, not JSON, or not an object.
        OSError: The file cannot be read.
    """
    with open_file(path, failure=ModelFileError) as file:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ModelFileError(f"{path} has {size} bytes, expected at most {MOST_BYTES}; {REMEDY}")
        text = file.read()
    return parse_object(text, name=str(path), remedy=REMEDY, failure=ModelFileError)


def read_known(cls: type[T], found: object, *, name: str) -> T:
    """Build a record from an object of another program.

    Keys without a field are ignored, and a missing key means the default of its field; see records.read_record.

    Args:
        cls: The dataclass; defaults are those of the other program.
        found: What json.loads returned.
        name: Of the record, for errors.

    Raises:
        ModelFileError: A field's value has the wrong type or is outside its range.
    """
    return read_record(cls, _known(cls, found), name=name, remedy=REMEDY, failure=ModelFileError)


def _known(cls: type[Any], found: object) -> object:
    """Return an object with the fields of a record only, and with their defaults."""
    if not isinstance(found, dict):
        return found
    hints = get_type_hints(cls)
    known: dict[str, object] = {}
    for field in fields(cls):
        if field.name in found:
            known[field.name] = _known_in(hints[field.name], found[field.name])
        elif field.default is not MISSING:
            default = field.default
            known[field.name] = to_json_object(default) if is_dataclass(default) else default
    return known


def _known_in(hint: object, value: object) -> object:
    """Return the value of a field with the known keys of its record, or of each record in its list."""
    record = _record_in(hint)
    if record is None:
        return value
    return [_known(record, one) for one in value] if isinstance(value, list) else _known(record, value)


def _record_in(hint: object) -> type[Any] | None:
    """Return the record class in a hint such as `tuple[Record, ...] | None`; None without one."""
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    return next((record for part in get_args(hint) if (record := _record_in(part)) is not None), None)
