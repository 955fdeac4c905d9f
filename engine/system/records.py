"""Reads a record from a JSON object: a frozen dataclass whose type hints say what each field may hold.

A wrong value is one line that names the field by its path:
`contract.size.base_px[0] is -3, expected a whole number of 1 or more; export the model again`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import ContractError, DepthrtError
from .field_types import Limit

T = TypeVar("T")
Json = Any  # what json.loads returns
Hint = Any  # the type of a field, as get_type_hints returns it

_LISTS = (list, tuple)  # JSON has lists only, to_json_object leaves tuples
_LONGEST_SHOWN = 40  # characters of a wrong value that an error repeats


class Mismatch(Exception):
    """A value that a record cannot hold.

    Args:
        place: Path of the value from the record on: ".size.base_px[0]".
        text: What was found and what was expected, as a predicate: "is -3, expected a whole number of 1 or more".
    """

    def __init__(self, place: str, text: str) -> None:
        super().__init__(place, text)
        self.place, self.text = place, text

    def inside(self, place: str) -> Mismatch:
        """Return the same, seen from the record or list that holds it at `place`."""
        return Mismatch(f"{place}{self.place}", self.text)


@dataclass(frozen=True, slots=True)
class Older:
    """An older format of a record.

    Args:
        read: Returns an object of it, without its key "format", as one of the newest format; raises Mismatch for what
            the older format does not know.
        write: Returns an object of the newest format as one of it.
    """

    read: Callable[[dict[str, Json]], dict[str, Json]]
    write: Callable[[dict[str, Json]], dict[str, Json]]


def read_record(
    cls: type[T], found: object, *, name: str, remedy: str, failure: type[DepthrtError] = ContractError
) -> T:
    """Build a record from a JSON object.

    The object must have the fields as its keys, and no others. Types are exact: a bool is not a number, and a whole
    number becomes a float only if the hint is float. Hints can be bool, int, float (finite), str, Literal of texts,
    `X | None`, tuples of any or of fixed length, other records, and Annotated with Limits.

    A record class may have `FORMAT`, the number that its key "format" must hold; `OLDER`, the older formats that are
    read too, by number, with a field `format` that keeps the number; `OPTIONAL`, names of fields that are None if their
    keys are missing; and `check`, which raises Mismatch if values contradict each other.

    Args:
        cls: The dataclass.
        found: What json.loads returned.
        name: Of the record, for errors: "contract".
        remedy: What to do about a wrong value, for errors.
        failure: The error raised.
    """
    kind: Hint = cls
    try:
        record: T = _record_reader(kind).read(found)
    except Mismatch as wrong:
        raise failure(f"{name}{wrong.place} {wrong.text}; {remedy}") from None
    return record


def check_record(record: object, *, name: str, remedy: str, failure: type[DepthrtError] = ContractError) -> None:
    """Raise `failure` unless read_record would take a record that was made in code; see read_record."""
    read_record(type(record), to_json_object(record), name=name, remedy=remedy, failure=failure)


def check_word(found: Json, words: tuple[str, ...], place: str) -> None:
    """Raise Mismatch, as for a field of Literal[words], unless a value at a place of a record is one of the words."""
    _read_at(_word(words), found, place)


def to_json_object(record: object) -> dict[str, Json]:
    """Return a record as read_record takes it; tuples stay tuples, which json writes as lists."""
    assert is_dataclass(record) and not isinstance(record, type)
    found = {field.name: getattr(record, field.name) for field in fields(record)}
    absent = {key for key in getattr(record, "OPTIONAL", ()) if found[key] is None}
    plain = {key: _to_plain(value) for key, value in found.items() if key not in absent}
    newest, older = getattr(record, "FORMAT", None), getattr(record, "OLDER", {})
    version = plain.pop("format") if older else newest
    if version in older:
        plain = older[version].write(plain)
    return plain if version is None else {"format": version, **plain}


def _to_plain(value: object) -> Json:
    if is_dataclass(value):
        return to_json_object(value)
    return tuple(map(_to_plain, value)) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one type.

    Args:
        expected: The type in words: "a whole number of 1 or more".
        read: Returns the value of a field for a JSON value, or raises Mismatch.
    """

    expected: str
    read: Callable[[Json], Any]

    def refuse(self, found: Json) -> Mismatch:
        return Mismatch("", f"is {_shown(found)}, expected {self.expected}")


@cache
def _record_reader(cls: Hint) -> _Reader:
    hints = get_type_hints(cls, include_extras=True)
    newest, check = getattr(cls, "FORMAT", None), getattr(cls, "check", None)
    older: Mapping[int, Older] = getattr(cls, "OLDER", {})
    optional: tuple[str, ...] = getattr(cls, "OPTIONAL", ())
    hints |= {name: _without_none(hints[name]) for name in optional}
    readers = {
        field.name: _reader(hints[field.name]) for field in fields(cls) if not (older and field.name == "format")
    }

    def read(found: Json) -> Any:  # noqa: ANN401 (an instance of cls)
        if type(found) is not dict:
            raise reader.refuse(found)
        kept = {}
        if newest is not None:
            version, found = _take_format(found, (*older, newest))
            found = older[version].read(found) if version in older else found
            kept = {"format": version} if older else {}
        wanted = {key: of_field for key, of_field in readers.items() if key in found or key not in optional}
        if found.keys() != wanted.keys():
            raise _wrong_keys(found.keys(), wanted.keys())
        given = {key: _read_at(of_field, found[key], f".{key}") for key, of_field in wanted.items()}
        record = cls(**{**dict.fromkeys(optional), **given, **kept})
        if check is not None:
            check(record)
        return record

    reader = _Reader("an object", read)
    return reader


def _take_format(found: dict[str, Json], known: tuple[int, ...]) -> tuple[int, dict[str, Json]]:
    """Return the number at the key "format" of an object, which must be a known one, and the object without it."""
    given = found.get("format")
    if type(given) is not int or given not in known:
        raise Mismatch(
            ".format",
            f"is {_shown(given)}, this depthrt reads {' and '.join(map(str, known))} "
            "(install the depthrt that wrote the other)",
        )
    return given, {key: value for key, value in found.items() if key != "format"}


def _wrong_keys(found: Set[str], expected: Set[str]) -> Mismatch:
    unknown, missing = sorted(found - expected), sorted(expected - found)
    if not unknown:
        return Mismatch(f".{missing[0]}", "is missing")
    lacks = f", and {missing[0]} is missing" if missing else ""
    return Mismatch(f".{_key(unknown[0])}", f"is an unknown key{lacks}")


def _read_at(reader: _Reader, found: Json, place: str) -> Any:  # noqa: ANN401
    try:
        return reader.read(found)
    except Mismatch as wrong:
        raise wrong.inside(place) from None


def _reader(hint: Hint) -> _Reader:
    """Return what reads a type."""
    kind, origin, arguments = hint, *_parts(hint)
    if is_dataclass(hint):
        return _record_reader(kind)
    if origin is Annotated:
        return _limited(_reader(arguments[0]), [limit for limit in arguments[1:] if isinstance(limit, Limit)])
    if origin in (Union, UnionType):
        return _optional(_reader(_without_none(hint)))
    if origin is tuple:
        readers = [_reader(argument) for argument in arguments if argument is not Ellipsis]
        return _list_of(readers[0]) if Ellipsis in arguments else _list(readers)
    if origin is Literal:
        return _word(arguments)
    return _SCALARS[hint]


def _without_none(hint: Hint) -> Hint:
    """Return X of `X | None`."""
    (inner,) = (argument for argument in get_args(hint) if argument is not type(None))
    return inner


def _parts(hint: Hint) -> tuple[Hint, tuple[Hint, ...]]:
    """Return what typing knows of a hint, untyped."""
    return get_origin(hint), get_args(hint)


def _limited(inner: _Reader, limits: list[Limit]) -> _Reader:
    def read(found: Json) -> Any:  # noqa: ANN401
        value = _named(inner, reader, found)
        if all(limit.accepts(value) for limit in limits):
            return value
        raise reader.refuse(found)

    reader = _Reader(" ".join([inner.expected, *(limit.words for limit in limits)]), read)
    return reader


def _optional(inner: _Reader) -> _Reader:
    reader = _Reader(f"{inner.expected} or null", lambda found: None if found is None else _named(inner, reader, found))
    return reader


def _named(inner: _Reader, outer: _Reader, found: Json) -> Any:  # noqa: ANN401
    """Read by the inner reader; an error about the value itself gets the words of the outer reader."""
    try:
        return inner.read(found)
    except Mismatch as wrong:
        raise wrong if wrong.place else outer.refuse(found) from None


def _list_of(entry: _Reader) -> _Reader:
    def read(found: Json) -> tuple[Any, ...]:
        if type(found) not in _LISTS:
            raise reader.refuse(found)
        return tuple(_read_at(entry, value, f"[{number}]") for number, value in enumerate(found))

    reader = _Reader("a list", read)
    return reader


def _list(entries: list[_Reader]) -> _Reader:
    def read(found: Json) -> tuple[Any, ...]:
        if type(found) not in _LISTS or len(found) != len(entries):
            raise reader.refuse(found)
        pairs = zip(entries, found, strict=True)
        return tuple(_read_at(entry, value, f"[{number}]") for number, (entry, value) in enumerate(pairs))

    reader = _Reader(f"a list of {len(entries)}", read)
    return reader


def _word(words: tuple[str, ...]) -> _Reader:
    def read(found: Json) -> str:
        if type(found) is str and found in words:
            return found
        raise reader.refuse(found)

    reader = _Reader(f"{'one of ' if len(words) > 1 else ''}{', '.join(words)}", read)
    return reader


def _scalar(kind: type, expected: str) -> _Reader:
    def read(found: Json) -> Any:  # noqa: ANN401
        if type(found) is kind:
            return found
        raise reader.refuse(found)

    reader = _Reader(expected, read)
    return reader


def _read_float(found: Json) -> float:
    if type(found) in (int, float):
        try:
            if math.isfinite(value := float(found)):
                return value
        except OverflowError:  # an integer above the range of float64
            pass
    raise _FLOAT.refuse(found)


_FLOAT = _Reader("a finite number", _read_float)
_SCALARS = {
    bool: _scalar(bool, "true or false"),
    int: _scalar(int, "a whole number"),
    float: _FLOAT,
    str: _scalar(str, "text"),
}


def _shown(found: Json) -> str:
    """Return a wrong value in one short line."""
    if found is None or isinstance(found, bool):
        return {None: "null", True: "true", False: "false"}[found]
    if isinstance(found, _LISTS):
        return f"a list of {len(found)}"
    if isinstance(found, int) and found.bit_length() > 64:
        return f"a whole number of {found.bit_length()} bits"
    if isinstance(found, (str, int, float)):
        text = ascii(found)
        return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return "an object" if isinstance(found, dict) else type(found).__name__


def _key(key: str) -> str:
    """Return an unknown key as a part of a path."""
    return key if key.isidentifier() and len(key) <= _LONGEST_SHOWN else _shown(key)
