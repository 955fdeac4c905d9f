"""What the OpenAPI document says of routes whose bodies the program reads itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..decode.options import OPTIONS

_REFUSALS = {
    401: "An API key is needed.",
    404: "There is no such model.",
    406: "Accept takes no form of the answer.",
    408: "The body came too slowly.",
    413: "The body or the image is too large.",
    415: "The body is not an image, or of an unknown type.",
    422: "A value is wrong; the message names it.",
    503: "The queue is full or the service stops; see Retry-After.",
}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error", "code", "request_id"],
    "properties": {name: {"type": "string"} for name in ("error", "code", "request_id")},
}
STOPPING: dict[int | str, dict[str, Any]] = {503: {"description": "No replica runs, or the service is about to stop."}}
BINARY = {"type": "string", "format": "binary"}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the entries of the answers that hold no depth."""
    return {
        status: {"description": _REFUSALS[status], "content": {"application/json": {"schema": _ERROR_SCHEMA}}}
        for status in statuses
    }


def answers(schemas: Mapping[str, Mapping[str, Any]], about: str, *statuses: int) -> dict[int | str, Any]:
    """Return the entries of all answers: status 200 with a schema for each type, and the refusals."""
    ok = {"description": about, "content": {kind: {"schema": dict(schema)} for kind, schema in schemas.items()}}
    return {200: ok, **refusals(*statuses)}


def query(names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the entries of options that stand in the address."""
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": OPTIONS[name].about,
            "schema": OPTIONS[name].schema,
        }
        for name in names
    ]


def form_schema(file_name: str, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schema of a form with a file."""
    return {"type": "object", "required": [file_name], "properties": {file_name: BINARY, **fields}}


def option_schemas(names: Iterable[str]) -> dict[str, Any]:
    """Return the schemas of options that stand in a form."""
    return {name: {**OPTIONS[name].schema, "description": OPTIONS[name].about} for name in names}


def body(content: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the entry of a body: its schemas by type."""
    return {"required": True, "content": {kind: {"schema": dict(schema)} for kind, schema in content.items()}}
