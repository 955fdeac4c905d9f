"""A report as JSON and back: every key is known, every value has its type, and a wrong one is named by its place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ...engine.errors import InputError
from ...engine.system.files import atomic_path
from .printable import printable
from .result import SCHEMA, Report

Json = Any  # what json.loads gives, not looked at yet
Hint = Any  # a type as a dataclass's field states it
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
# JSON has no such numbers, and drift is infinite where a model answers NaN.
_NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_PLAIN = {str: "string", int: "integer", bool: "boolean"}


def write_result(path: str | Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(to_json(report), encoding="utf-8")


def read_result(path: str | Path) -> Report:
    """Read what write_result wrote.

    Raises:
        InputError: The file cannot be read, is of another schema, or a place in it is not as it should be.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give the report.json of `depthrt bench`") from error
    try:
        return from_json(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def to_json(report: Report) -> str:
    """Return the report as JSON; numbers keep all their digits."""
    found = _plain(printable(report))
    return json.dumps({"schema": found.pop("schema"), **found}, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def from_json(text: str) -> Report:
    """Read what to_json gave.

    A key that has a default may be missing, so that a later depthrt may add some and still read this.

    Raises:
        InputError: It is no JSON object, of another schema, or has an unknown, missing or wrong value.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"no JSON found ({error}), expected a report of `depthrt bench`") from error
    if not isinstance(found, dict) or "schema" not in found:
        raise InputError("no report of `depthrt bench` found: it is no JSON object with a key schema")
    if found["schema"] != SCHEMA:
        raise InputError(
            f"schema {found['schema']!r} found, this depthrt reads schema {SCHEMA}; "
            "measure again or install the depthrt that wrote it"
        )
    report: Report = _read(Report, found, "")
    _refuse_twins(report)
    return report


def json_schema() -> dict[str, Json]:
    """Return the JSON Schema of a report, which report.schema.json holds."""
    records: dict[str, Json] = {}
    _schema(Report, records)
    top = records.pop("Report")
    top["properties"]["schema"] = {"const": SCHEMA}
    top["required"].insert(0, "schema")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"depthrt bench report, schema {SCHEMA}",
        **top,
        "$defs": {"number": {"anyOf": [{"type": "number"}, {"enum": sorted(_NOT_FINITE)}]}, **records},
    }


def _plain(value: object) -> Json:
    """Return a value as JSON types."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _read(kind: Hint, found: Json, place: str) -> Json:  # noqa: PLR0911 (a case a type)
    """Return a JSON value as the type `kind`; `place` names it in errors."""
    origin: Hint = get_origin(kind)
    arguments = get_args(kind)
    if is_dataclass(kind):
        return _read_record(kind, _expect(found, dict, place, "an object"), place)
    if origin in (Union, UnionType):
        return None if found is None else _read(arguments[0], found, place)
    if origin is tuple:
        items = _expect(found, list, place, "a list")
        return tuple(_read(arguments[0], one, f"{place}[{number}]") for number, one in enumerate(items))
    if origin is Mapping:
        items = _expect(found, dict, place, "an object")
        return {key: _read(arguments[1], one, f"{place}.{key}") for key, one in items.items()}
    if origin is Literal:
        if found not in arguments:
            raise InputError(f"{place} is {found!r:.60}, expected one of {', '.join(arguments)}")
        return found
    if kind is float:
        return _number(found, place)
    if kind is int and isinstance(found, bool):
        raise InputError(f"{place} is {found}, expected an integer")
    return _expect(found, kind, place, _PLAIN[kind])


def _read_record(record: Hint, found: dict[str, Json], place: str) -> Json:
    kinds = get_type_hints(record)
    prefix = f"{place}." if place else ""
    for key in found.keys() - kinds.keys():
        raise InputError(f"{prefix}{key} is not known, expected among {', '.join(kinds)}")
    for field in fields(record):
        if field.name not in found and not _has_default(field):
            raise InputError(f"{prefix}{field.name} is missing")
    return record(**{key: _read(kinds[key], value, prefix + key) for key, value in found.items()})


def _number(found: Json, place: str) -> float:
    if isinstance(found, str) and found in _NOT_FINITE:
        return _NOT_FINITE[found]
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise InputError(f"{place} is {found!r}, expected a number")
    return float(found)


def _expect(found: Json, kind: type, place: str, name: str) -> Json:
    if not isinstance(found, kind):
        raise InputError(f"{place} is {found!r:.60}, expected {name}")
    return found


def _refuse_twins(report: Report) -> None:
    """Raise InputError where two subjects have one name: compare would match the wrong one."""
    names = [subject.name for subject in report.subjects]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"subjects[{number}].name is {name!r} a second time, expected each name once")


def _schema(kind: Hint, records: dict[str, Json]) -> dict[str, Json]:
    """Return the schema of a type; those of dataclasses go to `records` and are referred to."""
    origin: Hint = get_origin(kind)
    arguments = get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        name = kind.__name__
        if name not in records:
            kinds = get_type_hints(kind)
            records[name] = {
                "type": "object",
                "properties": {key: _schema(one, records) for key, one in kinds.items()},
                "required": [field.name for field in fields(kind) if not _has_default(field)],
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{name}"}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(arguments[0], records), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0], records)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], records)}
    if origin is Literal:
        return {"enum": [*arguments]}
    return {"$ref": "#/$defs/number"} if kind is float else {"type": _PLAIN[kind]}


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING
