"""A WebP in: its size, whether its picture is whole, and whether it is animated or has alpha.

Pillow would allocate the whole canvas. Source: RFC 9649, sections 2.5 to 2.7; RFC 6386, section 9.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_ALPHA, _ANIMATION = 0x10, 0x02  # flags of VP8X
_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")


@dataclass(frozen=True, slots=True)
class Webp:
    """What the chunks of a WebP say.

    Args:
        height_px, width_px: Of the canvas.
        is_whole: Whether the chunk of its (first) picture lies in the file.
        is_animated: Whether it has other frames.
        has_alpha: Whether it may have transparent pixels.
    """

    height_px: int
    width_px: int
    is_whole: bool
    is_animated: bool = False
    has_alpha: bool = False


def read_webp(data: bytes) -> Webp:
    """Read the header and the chunks of a WebP.

    Raises:
        ValueError: Its first chunk is of an unknown kind.
    """
    kind, flags = data[12:16], 0
    if kind == b"VP8X":
        flags = data[20] if len(data) > 20 else 0
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    elif kind == b"VP8L":
        bits = _little(data, 21, 4)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _ALPHA if bits >> 28 & 1 else 0
    elif kind == b"VP8 ":
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    else:
        raise ValueError(f"its first chunk is {kind!r}")
    ends = [end for kind, end in _chunks(data) if kind in _PIXELS]
    is_whole = bool(ends) and ends[0] <= len(data)
    return Webp(height, width, is_whole, bool(flags & _ANIMATION), bool(flags & _ALPHA))


def with_own_size(data: bytes) -> bytes:
    """Return the file with its true size in its header, where decoders expect what it announces."""
    if _little(data, 4, 4) + 8 <= len(data):
        return data
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each chunk's kind, and where it ends if the file is whole."""
    at = 12
    while at + 8 <= len(data):
        length = _little(data, at + 4, 4)
        yield data[at : at + 4], at + 8 + length
        at += 8 + length + length % 2


def _little(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")
