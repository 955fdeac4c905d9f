"""Results as text that files and terminals take, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ...engine.system.files import atomic_path

Found = TypeVar("Found")


def write_json(path: str | Path, found: object) -> None:
    """Write a result as JSON, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(printable(found), indent=1), encoding="utf-8")


def printable(found: Found) -> Found:
    r"""Return a copy whose texts are valid UTF-8: each other byte of a file name becomes \udcXX.

    Args:
        found: A text, or dataclasses, mappings, tuples and lists of texts; other values stay.
    """
    copy: Any = found
    if isinstance(copy, str):
        copy = copy.encode("utf-8", "backslashreplace").decode("utf-8")
    elif is_dataclass(copy) and not isinstance(copy, type):
        copy = replace(copy, **{field.name: printable(getattr(copy, field.name)) for field in fields(copy)})
    elif isinstance(copy, Mapping):
        copy = {printable(key): printable(value) for key, value in copy.items()}
    elif isinstance(copy, (tuple, list)):
        copy = type(copy)(map(printable, copy))
    result: Found = copy
    return result
