"""How results are written: whole or not at all, and as text everywhere."""

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
    r"""Return the same with each byte of a file name that is no UTF-8 as \udcXX, which files and terminals take.

    Args:
        found: A text, or dataclasses, mappings, tuples and lists of such; anything else stays.
    """
    same: Any = found
    if isinstance(same, str):
        same = same.encode("utf-8", "backslashreplace").decode("utf-8")
    elif is_dataclass(same) and not isinstance(same, type):
        same = replace(same, **{one.name: printable(getattr(same, one.name)) for one in fields(same)})
    elif isinstance(same, Mapping):
        same = {printable(key): printable(value) for key, value in same.items()}
    elif isinstance(same, (tuple, list)):
        same = type(same)(map(printable, same))
    result: Found = same
    return result
