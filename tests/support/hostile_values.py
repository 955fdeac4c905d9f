"""Hostile values, and what puts one at every place of a record: what a file from outside can hold.

`hostile_texts` gives the texts of a campaign over one record. Reading such a text either fails with a DepthrtError of
one line, or gives a record of the very values: `refusal_or_record` holds that.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from depthrt import DepthrtError

Json = Any
Place = tuple[str | int, ...]
T = TypeVar("T")

NESTED: Json = []
for _ in range(90):  # deep, but within what Python reads
    NESTED = [NESTED]

# Values that no record takes in more than a few of its fields.
HOSTILE: tuple[Json, ...] = (
    *(None, True, False, [], {}, [None], [[1]], {"a": 1}, [1, 2, 3, 4, 5], [[]] * 50, NESTED),
    *(math.nan, math.inf, -math.inf, -1.0, 0.5, 2.5, 1e308, 5e-324),
    *(-(2**70), -(10**40), -1, 0, 2**31, 10**40),
    *("", " ", "x", "1", "null", "NaN", "a\nb", "\x1b[2J", "\x00", "\u202e", "\ud800", "x" * 300, "../../mine"),
)  # fmt: skip

# Texts that are no record at all.
NO_RECORD: tuple[str, ...] = (
    *("", " ", "null", "true", "5", '"text"', "[]", "{", "}", "{}", "nan", "NaN", "\x00", "\ufeff{}", "{}{}"),
    *("[" * 100_000, '{"a":' * 100_000, "1" * 5000, '{"a": ' + "1" * 5000 + "}", '{"a": 1, "a": 2}', '{"a": 1e999}'),
)  # fmt: skip


class Planted(NamedTuple):
    """A text of a record with one thing wrong.

    Args:
        place: Of it in the record.
        value: What stands there, MISSING or UNKNOWN.
        found: The record as json.loads would return it.
        text: The JSON.
    """

    place: Place
    value: Json
    found: Json
    text: str


MISSING, UNKNOWN = "(missing key)", "(unknown key)"


def places(found: Json, place: Place = ()) -> Iterator[Place]:
    """Give the place of every value in a JSON value, that of the whole first."""
    yield place
    if isinstance(found, dict):
        for key, value in found.items():
            yield from places(value, (*place, key))
    elif isinstance(found, (list, tuple)):
        for number, value in enumerate(found):
            yield from places(value, (*place, number))


def planted(found: Json, place: Place, value: Json) -> Json:
    """Return a JSON value with another value at a place."""
    if not place:
        return value
    whole = json.loads(json.dumps(found))
    parent = whole
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = copy.deepcopy(value)
    return whole


def hostile_texts(found: Json) -> Iterator[Planted]:
    """Give every text of a record with a hostile value at one place, a key missing, or an unknown key."""
    for place in places(found):
        for value in HOSTILE:
            wrong = planted(found, place, value)
            yield Planted(place, value, wrong, json.dumps(wrong))
        here = json.loads(json.dumps(found))
        for key in place:
            here = here[key]
        if isinstance(here, dict):
            wrong = planted(found, place, {**here, "surprise": 1})
            yield Planted((*place, "surprise"), UNKNOWN, wrong, json.dumps(wrong))
            for key in here:
                wrong = planted(found, place, {name: value for name, value in here.items() if name != key})
                yield Planted((*place, key), MISSING, wrong, json.dumps(wrong))


def refusal_or_record(read: Callable[[], T]) -> T | None:
    """Return what `read` returns, or None if it fails with a DepthrtError of one line that a terminal prints."""
    try:
        return read()
    except DepthrtError as error:
        message = str(error)
        assert message.isprintable(), f"not one printable line: {message!r}"
        assert len(message) < 1000, f"{len(message)} characters"
        return None


def same(record: Json, given: Json) -> bool:
    """Return whether a record, as JSON, has the very values that were given; whole numbers may become floats."""
    if isinstance(record, dict) and isinstance(given, dict):
        return record.keys() == given.keys() and all(same(record[key], given[key]) for key in record)
    if isinstance(record, (list, tuple)) and isinstance(given, (list, tuple)):
        return len(record) == len(given) and all(map(same, record, given))
    numbers = type(record) is float and type(given) in (int, float)
    return bool(record == given) and (numbers or type(record) is type(given))
