"""Types of the fields of records: plain types with limits that records.py checks, `Annotated[int, Range(1, 9)]`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

# Control characters, line ends of Unicode, overrides of the writing direction and halves of surrogate pairs: a
# terminal obeys or refuses them.
_NOT_PRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a value must be besides its type: `Annotated[int, Limit(...)]`.

    Args:
        accepts: Returns whether a value of the type is within.
        words: Follow the name of the type in errors: "of 1 or more".
    """

    accepts: Callable[[Any], bool]
    words: str


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:g}"


def Range(least: float, most: float | None = None) -> Limit:
    """Limit a number to `least` to `most`, both included."""
    if most is None:
        return Limit(lambda value: bool(value >= least), f"of {_number(least)} or more")
    return Limit(lambda value: bool(least <= value <= most), f"from {_number(least)} to {_number(most)}")


def Text(least: int, most: int) -> Limit:
    """Limit a text to `least` to `most` characters that a terminal prints."""

    def accepts(text: str) -> bool:
        return least <= len(text) <= most and _NOT_PRINTABLE.search(text) is None

    return Limit(accepts, f"of {least} to {most} printable characters")


def Pattern(expression: str, words: str) -> Limit:
    """Limit a text to those that a regular expression matches as a whole."""
    return Limit(lambda text: re.fullmatch(expression, text) is not None, words)


def Length(least: int, most: int) -> Limit:
    """Limit a list to `least` to `most` entries."""
    return Limit(lambda items: least <= len(items) <= most, f"of {least} to {most} entries")


Positive = Annotated[float, Limit(lambda value: bool(value > 0), "above 0")]
NotNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
Count = Annotated[int, Range(1, 1 << 20)]
Bytes = Annotated[int, Range(0, 1 << 50)]
Name = Annotated[str, Text(1, 255)]
Sentence = Annotated[str, Text(0, 10_000)]
Sha256 = Annotated[str, Pattern("[0-9a-f]{64}", "of 64 hexadecimal digits")]


def printable(text: str, most: int = 10_000) -> str:
    """Return a text that a field of a record takes: one line, cut after `most`, "?" for what a terminal would obey."""
    line = _NOT_PRINTABLE.sub("?", " ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 3]}..."
