"""A PNG in: whether its picture is whole, whatever stands beside it; and whether it is animated or has alpha.

Source: PNG specification, third edition, sections 5 and 11.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_START, _HEADER_ENDS = 8, 33  # after the signature, and after the first chunk
_WITH_ALPHA = (4, 6)  # colour types
END = b"\0\0\0\0IEND\xae\x42\x60\x82"  # the last chunk
_INFLATED_BYTES = 1 << 20  # at once


@dataclass(frozen=True, slots=True)
class Png:
    """What the chunks of a PNG say.

    Args:
        flaw: What is wrong with the picture, None if it is whole.
        height_px, width_px: As stored.
        lacks_end: Whether its end is missing, its pixels being whole.
        is_animated: Whether it has other frames.
        has_alpha: Whether it may have transparent pixels.
        density: Pixels along x and y that are as long as each other; (1, 1) if the file does not say.
    """

    height_px: int
    width_px: int
    flaw: str | None = None
    lacks_end: bool = False
    is_animated: bool = False
    has_alpha: bool = False
    density: tuple[int, int] = (1, 1)


def read_png(data: bytes) -> Png:
    """Read the chunks of a PNG and check the sums of those that make the picture; inflates nothing unless it is cut.

    Raises:
        ValueError: Its first chunk is not its header.
    """
    if data[12:16] != b"IHDR" or len(data) < _HEADER_ENDS:
        raise ValueError("it does not begin with its header")
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    kinds: set[bytes] = set()
    density = (1, 1)
    for kind, content, is_whole in _chunks(data):
        if kind in _NEEDED and not is_whole:
            return Png(height, width, f"its chunk {kind.decode()} is cut short or has a wrong check sum")
        if kind == b"pHYs" and len(content) == 9 and is_whole:
            x, y = int.from_bytes(content[:4], "big"), int.from_bytes(content[4:8], "big")
            density = (x, y) if x and y else (1, 1)
        kinds.add(kind)
        if kind == b"IEND":
            break
    lacks_end = b"IEND" not in kinds
    flaw = "it is cut short" if lacks_end and not _inflates(data) else None
    has_alpha = data[25] in _WITH_ALPHA or b"tRNS" in kinds
    return Png(height, width, flaw, lacks_end, b"acTL" in kinds, has_alpha, density)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, bool]]:
    """Yield each chunk's kind and content, and whether it is whole and has the right check sum."""
    view, at = memoryview(data), _START
    while at + 8 <= len(data):
        length, kind = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8])
        end = at + 8 + length
        content = view[at + 8 : end]
        sum_ = zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big")
        yield kind, content, view[end : end + 4] == sum_
        at = end + 4


def _inflates(data: bytes) -> bool:
    """Whether the compressed pixels end as they should; keeps a part of them at a time."""
    inflater = zlib.decompressobj()
    try:
        for kind, content, _ in _chunks(data):
            rest = bytes(content) if kind == b"IDAT" else b""
            while rest and not inflater.eof:
                inflater.decompress(rest, _INFLATED_BYTES)
                rest = inflater.unconsumed_tail
    except zlib.error:
        return False
    return inflater.eof
