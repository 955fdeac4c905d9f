"""TIFF files of tests with any tags, also those that no library writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import tifffile
from numpy.typing import NDArray

_TYPES = {"s": 2, "H": 3, "I": 4}  # Source: TIFF 6.0, section 2


def made_tiff(tags: Mapping[int, tuple[str, Any]], strip: bytes, *, big_endian: bool = False) -> bytes:
    """Write a TIFF of one strip.

    Args:
        tags: struct's letter and the values of each tag; the places of the strip are added.
    """
    order = ">" if big_endian else "<"
    body = strip + b"\0" * (len(strip) % 2)
    entries = {273: ("I", (8,)), 279: ("I", (len(strip),)), **tags}
    directory_at = 8 + len(body)
    beside_at = directory_at + 2 + 12 * len(entries) + 4
    directory, beside = struct.pack(f"{order}H", len(entries)), b""
    for tag, (letter, values) in sorted(entries.items()):
        packed = values if letter == "s" else struct.pack(f"{order}{len(values)}{letter}", *values)
        place = packed.ljust(4, b"\0")
        if len(packed) > 4:
            place = struct.pack(f"{order}I", beside_at + len(beside))
            beside += packed + b"\0" * (len(packed) % 2)
        directory += struct.pack(f"{order}HHI", tag, _TYPES[letter], len(values)) + place
    magic = b"MM\0*" if big_endian else b"II*\0"
    return magic + struct.pack(f"{order}I", directory_at) + body + directory + bytes(4) + beside


def with_tag(data: bytes, tag: int, letter: str, values: Sequence[int]) -> bytes:
    """Give a TIFF of tifffile's (little-endian) another value of a tag that it has."""
    size = struct.pack(f"<{len(values)}{letter}", *values)
    found = [at for at in range(len(data) - 12) if data[at : at + 4] == struct.pack("<HH", tag, _TYPES[letter])]
    assert len(found) == 1, f"tag {tag} in {len(found)} places"
    at = found[0] + 8
    return data[:at] + size + data[at + len(size) :]


def tiff_of(values: NDArray[Any], **options: Any) -> bytes:  # noqa: ANN401 (those of tifffile)
    """Write an array with tifffile."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()
