"""A wrong value or an unknown key of a record, for an error of one short line."""

from __future__ import annotations

from typing import Any

Json = Any  # what json.loads returns

_LONGEST_SHOWN = 40  # characters that an error repeats


def shown_value(found: Json) -> str:
    """Return a wrong value in one short line."""
    if found is None or isinstance(found, bool):
        return {None: "null", True: "true", False: "false"}[found]
    if isinstance(found, (list, tuple)):
        return f"a list of {len(found)}"
    if isinstance(found, int) and found.bit_length() > 64:
        return f"a whole number of {found.bit_length()} bits"
    if isinstance(found, (str, int, float)):
        text = ascii(found)
        return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return "an object" if isinstance(found, dict) else type(found).__name__


def shown_key(key: str) -> str:
    """Return an unknown key as a part of a path."""
    return key if key.isidentifier() and len(key) <= _LONGEST_SHOWN else shown_value(key)
