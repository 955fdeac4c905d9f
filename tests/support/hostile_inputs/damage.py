"""Ways to damage the bytes of a file and the values of a JSON object."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, Literal

from hostile_values import HOSTILE
from numpy.random import Generator

from .trials import Kind, Made, pick

_LATE = 0.3  # share of cuts that lose a few bytes only
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
_HEAD_BYTES = 600  # where most formats keep their sizes
Json = Any
_SIZES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)


class DamagedFiles(Kind):
    """Files with bytes damaged; `answer` gets the file's name, what was done to it, and its bytes after it."""

    _good: dict[str, bytes]  # by name

    def describe(self, random: Generator) -> tuple[str, Made]:
        name = pick(random, list(self._good))
        how, data = damage(random, self._good[name])
        return f"{name}, {how}", (name, how, data)


def damage(random: Generator, data: bytes) -> tuple[str, bytes]:
    """Return what was done to a file, and its bytes after it."""
    at = int(random.integers(len(data)))
    span = int(random.integers(1, max(2, len(data) // 4)))
    return _WAYS[pick(random, _DRAWN)](random, data, at, span)


def flip(data: bytes, bits: list[tuple[int, int]]) -> bytes:
    """Return bytes with bits turned over, given as (byte, bit)."""
    found = bytearray(data)
    for at, bit in bits:
        found[at] ^= 1 << bit
    return bytes(found)


def spoil(random: Generator, good: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what was done to a JSON object, and the object after it: a value replaced, a key lost or added."""
    found = copy.deepcopy(good)
    places = [place for place in _places(found) if place]
    place = pick(random, places)
    holder: Any = found
    for key in place[:-1]:
        holder = holder[key]
    way = pick(random, ("value",) * 8 + ("lost", "added", "swapped", "scaled"))
    if way == "lost":
        del holder[place[-1]]
    elif way == "added":
        found[pick(random, ("", "a\nb", "x" * 1000, "\x1b[2J"))] = 1
    elif way == "swapped":
        holder[place[-1]] = _at(good, pick(random, places))
    elif way == "scaled" and isinstance(holder[place[-1]], (int, float)):
        holder[place[-1]] = holder[place[-1]] * pick(random, (-1, 0, 2, 1000, math.nan, math.inf))
    else:
        holder[place[-1]] = pick(random, HOSTILE)
    value = "" if way in {"lost", "added"} else f" {str(holder[place[-1]])[:40]!r}"
    return f"{'.'.join(map(str, place))} {way}{value}", found


def _cut(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    if random.random() < _LATE:
        at = len(data) - 1 - int(random.integers(min(64, len(data))))
    return f"cut after {at} of {len(data)} bytes", data[:at]


def _flip(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    count = pick(random, (1, 1, 1, 4, 30))
    bits = [(int(random.integers(len(data))), int(random.integers(8))) for _ in range(count)]
    return f"flip bits {bits[:4]}", flip(data, bits)


def _set(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    value = int(random.integers(256))
    return f"byte {at} is {value}", data[:at] + bytes([value]) + data[at + 1 :]


def _zero(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    return f"zeros at {at}:{at + span}", data[:at] + bytes(len(data[at : at + span])) + data[at + span :]


def _drop(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    return f"without {at}:{at + span}", data[:at] + data[at + span :]


def _double(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    return f"twice {at}:{at + span}", data[: at + span] + data[at:]


def _field(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    at %= _HEAD_BYTES
    width, order = pick(random, (1, 2, 4, 8)), pick(random, _ORDERS)
    value = pick(random, _SIZES) & ((1 << 8 * width) - 1)
    written = data[:at] + value.to_bytes(width, order) + data[at + width :]
    return f"field of {width} bytes at {at} is {value:#x}", written


def _tail(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    return f"{span} bytes behind the end", data + random.bytes(span)


def _swap(random: Generator, data: bytes, at: int, span: int) -> tuple[str, bytes]:
    middle, end = at + span // 2, at + span
    return f"halves of {at}:{end} swapped", data[:at] + data[middle:end] + data[at:middle] + data[end:]


def _places(found: Json, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(found, dict):
        return [place, *(inner for key, value in found.items() for inner in _places(value, (*place, key)))]
    if isinstance(found, list):
        return [place, *(inner for key, value in enumerate(found[:6]) for inner in _places(value, (*place, key)))]
    return [place]


def _at(found: Json, place: tuple[Any, ...]) -> Json:
    for key in place:
        found = found[key]
    return copy.deepcopy(found)


_WAYS: dict[str, Callable[[Generator, bytes, int, int], tuple[str, bytes]]] = {
    "cut": _cut,
    "flip": _flip,
    "set": _set,
    "zero": _zero,
    "drop": _drop,
    "double": _double,
    "field": _field,
    "tail": _tail,
    "swap": _swap,
}
_DRAWN = (*_WAYS, "cut", "flip", "flip")
