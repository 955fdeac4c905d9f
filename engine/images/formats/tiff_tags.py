"""A TIFF in, the tags of its first pages out.

Only tags that decide about pixels are read, so damage in others does no harm. Source: TIFF 6.0, section 2; BigTIFF.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Tags = Mapping[int, tuple[Any, ...]]  # values by the tag's number; text is one bytes

NEW_SUBFILE_TYPE, SUBFILE_TYPE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
FILL_ORDER, DESCRIPTION, STRIP_OFFSETS, SAMPLES, STRIP_COUNTS, X_DENSITY, Y_DENSITY, PLANAR = (
    266,
    270,
    273,
    277,
    279,
    282,
    283,
    284,
)
TILE_WIDTH, TILE_OFFSETS, TILE_COUNTS, INK_SET, EXTRA, SAMPLE_FORMAT = 322, 324, 325, 332, 338, 339
LAYERS, GDAL_METADATA, GDAL_NODATA = 32997, 42112, 42113

NAMES = {
    NEW_SUBFILE_TYPE: "NewSubfileType",
    SUBFILE_TYPE: "SubfileType",
    WIDTH: "ImageWidth",
    HEIGHT: "ImageLength",
    BITS: "BitsPerSample",
    COMPRESSION: "Compression",
    PHOTOMETRIC: "PhotometricInterpretation",
    FILL_ORDER: "FillOrder",
    DESCRIPTION: "ImageDescription",
    STRIP_OFFSETS: "StripOffsets",
    SAMPLES: "SamplesPerPixel",
    STRIP_COUNTS: "StripByteCounts",
    X_DENSITY: "XResolution",
    Y_DENSITY: "YResolution",
    PLANAR: "PlanarConfiguration",
    TILE_WIDTH: "TileWidth",
    TILE_OFFSETS: "TileOffsets",
    TILE_COUNTS: "TileByteCounts",
    INK_SET: "InkSet",
    EXTRA: "ExtraSamples",
    SAMPLE_FORMAT: "SampleFormat",
    LAYERS: "ImageDepth",
    GDAL_METADATA: "GDAL_METADATA",
    GDAL_NODATA: "GDAL_NODATA",
}
# Bytes and struct's letter of a value by its type. Source: TIFF 6.0, section 2; BigTIFF
_TYPES = {
    1: (1, "B"),
    2: (1, "s"),
    3: (2, "H"),
    4: (4, "I"),
    5: (8, "II"),
    6: (1, "b"),
    7: (1, "s"),
    8: (2, "h"),
    9: (4, "i"),
    10: (8, "ii"),
    11: (4, "f"),
    12: (8, "d"),
    13: (4, "I"),
    16: (8, "Q"),
    17: (8, "q"),
    18: (8, "Q"),
}
_MOST_ENTRIES = 4096  # of a directory; libtiff warns above this


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a TIFF: its tags, and the place of the next page, 0 after the last."""

    tags: Tags
    next_at: int


def read_pages(data: bytes) -> list[Page]:
    """Return the first two pages of a TIFF; only tags that are named here.

    Raises:
        ValueError: The file is damaged before the end of its first page's tags.
    """
    if data[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise ValueError(f"it begins with {data[:4]!r}, which is not a TIFF")
    order = "<" if data[:2] == b"II" else ">"
    is_big = data[2:4] in (b"+\0", b"\0+")
    at = _number(data, 8, order, "Q") if is_big else _number(data, 4, order, "I")
    first = _read_page(data, at, order, is_big=is_big)
    try:
        return [first, _read_page(data, first.next_at, order, is_big=is_big)] if first.next_at else [first]
    except ValueError:
        return [first]  # what follows the picture may be damaged


def size_px(tags: Tags) -> tuple[int, int]:
    """Return (H, W) as stored.

    Raises:
        ValueError: A side is missing.
    """
    return one(tags, HEIGHT), one(tags, WIDTH)


def ends_inside(tags: Tags, size_bytes: int) -> bool:
    """Whether all strips or tiles of a page lie inside a file of this size."""
    for offset_tag, count_tag in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
        places = [*zip(tags.get(offset_tag, ()), tags.get(count_tag, ()), strict=False)]
        if any(not isinstance(number, int) for place in places for number in place):
            return False  # damaged tags
        if any(offset + count > size_bytes for offset, count in places):
            return False
    return True


def density_of(tags: Tags) -> tuple[int, int]:
    """Return the pixels along x and y that are as long as each other; (1, 1) if the file does not say."""
    x, y = tags.get(X_DENSITY, ()), tags.get(Y_DENSITY, ())
    if len(x) == len(y) == 2 and all(isinstance(part, int) and part > 0 for part in (*x, *y)):
        return int(x[0] * y[1]), int(y[0] * x[1])
    return 1, 1


def text_of(tags: Tags, tag: int) -> bytes:
    """Return the text of a tag, empty if the file has none."""
    found = tags.get(tag, (b"",))[0]
    return found if isinstance(found, bytes) else b""


def one(tags: Tags, tag: int, absent: int | None = None) -> int:
    """Return the first value of a tag.

    Raises:
        ValueError: It is missing without a default, or not a whole number.
    """
    values = tags.get(tag, () if absent is None else (absent,))
    if not values or not isinstance(values[0], int):
        raise ValueError(f"{title(tag)} is missing or damaged")
    return values[0]


def same(tags: Tags, tag: int, absent: int) -> int:
    """Return the value that a tag has for all samples.

    Raises:
        ValueError: The samples differ.
    """
    first = one(tags, tag, absent)
    if any(value != first for value in tags.get(tag, ())):
        raise ValueError(f"{title(tag)} is {tags[tag]}, expected one value for all samples")
    return first


def title(tag: int) -> str:
    """Return a tag's name and number, for messages."""
    return f"its tag {NAMES[tag]} ({tag})"


def _read_page(data: bytes, at: int, order: str, *, is_big: bool) -> Page:
    count = _number(data, at, order, "Q" if is_big else "H")
    first, entry_bytes = (at + 8, 20) if is_big else (at + 2, 12)
    if not 0 < count <= _MOST_ENTRIES:
        raise ValueError(f"its directory has {count} entries")
    tags: dict[int, tuple[Any, ...]] = {}
    for place in range(first, first + count * entry_bytes, entry_bytes):
        tag = _number(data, place, order, "H")
        if tag in NAMES and tag not in tags:
            tags[tag] = _read_values(data, place, order, is_big=is_big)
    end = first + count * entry_bytes
    next_at = data[end : end + (8 if is_big else 4)]
    return Page(tags, int.from_bytes(next_at, "little" if order == "<" else "big"))


def _read_values(data: bytes, place: int, order: str, *, is_big: bool) -> tuple[Any, ...]:
    """Return the values of an entry; none if its type is unknown or its values lie outside the file."""
    width, letter = _TYPES.get(_number(data, place + 2, order, "H"), (0, ""))
    count = _number(data, place + 4, order, "Q" if is_big else "I")
    at, inline = (place + 12, 8) if is_big else (place + 8, 4)
    if count * width > inline:
        at = _number(data, at, order, "Q" if is_big else "I")
    if not width or not count or at + count * width > len(data):
        return ()
    if letter == "s":
        return (data[at : at + count],)
    return struct.unpack_from(f"{order}{count * len(letter)}{letter[0]}", data, at)


def _number(data: bytes, at: int, order: str, letter: str) -> int:
    try:
        number: int = struct.unpack_from(order + letter, data, at)[0]
    except (struct.error, OverflowError) as error:
        raise ValueError("its tags lie outside the file") from error
    return number
