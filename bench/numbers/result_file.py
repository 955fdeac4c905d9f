"""A report as JSON and back: every key is known, every value has its type and range, and a wrong value is named."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.errors import BackendUnavailable, InputError
from ...engine.system.escape import escaped
from ...engine.system.files import atomic_path, open_file
from .printable import printable
from .result import SCHEMA, Report

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
_LONGEST_SHOWN = 60  # characters of a wrong value that an error repeats


def write_result(path: str | Path, report: Report) -> None:
    """Write a report as JSON, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(to_json(report), encoding="utf-8")


def read_result(path: str | Path) -> Report:
    """Read a report that write_result wrote.

    Raises:
        InputError: The file cannot be read, is of another schema, or holds a wrong value.
        BackendUnavailable: pydantic is not installed.
    """
    try:
        with open_file(Path(path), expected="a report") as file:
            text = file.read().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give the report.json of `depthrt bench`") from error
    try:
        return from_json(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def to_json(report: Report) -> str:
    """Return the report as JSON; numbers keep all their digits."""
    return report_type().dump_json(printable(report), indent=1).decode() + "\n"


def from_json(text: str) -> Report:
    """Read the text of to_json.

    A key with a default may be missing, so that a later depthrt may add keys and still read this.

    Raises:
        InputError: The text is not a JSON object, is of another schema, or has an unknown, missing or wrong value.
        BackendUnavailable: pydantic is not installed.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON found ({error}), expected a report of `depthrt bench`") from error
    if not isinstance(found, dict) or "schema" not in found:
        raise InputError("no report of `depthrt bench` found: it is not a JSON object with a key schema")
    if type(found["schema"]) is not int or found["schema"] != SCHEMA:
        raise InputError(
            f"schema {found['schema']!r} found, this depthrt reads schema {SCHEMA}; "
            "measure again or install the depthrt that wrote it"
        )
    reader = report_type()
    from pydantic import ValidationError

    try:
        report = reader.validate_json(text)
    except ValidationError as error:
        raise InputError(_line(error.errors(include_url=False)[0])) from None
    _refuse_twins(report)
    return report


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a report, which report.schema.json holds."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **report_type().json_schema(), "title": f"depthrt bench report, schema {SCHEMA}"}


@cache
def report_type() -> TypeAdapter[Report]:
    """Return pydantic's reader and writer of reports.

    Raises:
        BackendUnavailable: pydantic is not installed.
    """
    try:
        from pydantic import TypeAdapter
    except ImportError as error:
        raise BackendUnavailable("reports need pydantic: pip install 'depthrt[bench]'") from error
    return TypeAdapter(Report)


def _line(error: ErrorDetails) -> str:
    """Return an error of pydantic as one line that names the field."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    place = escaped("".join(parts).lstrip("."))
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "unexpected_keyword_argument":
        return f"{place} is an unknown key"
    expected = error["msg"].replace("Input should be", "expected")
    return f"{place} is {repr(error['input'])[:_LONGEST_SHOWN]}, {expected}"


def _refuse_twins(report: Report) -> None:
    """Raise InputError if two subjects share a name: compare would match the wrong one."""
    names = [subject.name for subject in report.subjects]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InputError(f"subjects[{number}].name is {name!r} a second time, expected each name once")
