"""A JPEG in, its size and pixel density out, and whether its pixels are all there, also without the end marker.

Source: ITU-T T.81, annexes B and G; JFIF 1.02.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

END = b"\xff\xd9"
Ending = Literal["marked", "unmarked", "cut"]

# A marker that a length follows, or the end of the image; 00, 01, RST, SOI and fill bytes are none of these.
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF markers
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN, _END_OF_IMAGE, _RESTART_INTERVAL, _JFIF = 0xDA, 0xD9, 0xDD, 0xE0
_COEFFICIENTS = 64
# Bits that a decoder would take for pixels, if some are missing; one of them alone may look like what is missing.
_FILLERS = (b"\x00", b"\xff\x00", b"\x55", b"\xaa", b"\x0f\x3c\x91", b"\xe2\x17\x6d\x48")
_FILLER_BYTES = 96


@dataclass(slots=True)
class Jpeg:
    """What the headers of a JPEG say, up to its end.

    Args:
        height_px, width_px: As stored.
        density: Pixels along x and y that are as long as each other; (1, 1) if the file does not say.
        is_ended: Whether it has its end marker; anything may follow.
        is_progressive: Whether its pixels come in several scans.
        missing: Lowest bit of each coefficient that no scan has given, by component; 0 if all are given.
        interval: Units between restart markers, 0 without such.
        last_scan_at: Where the pixels of the last scan begin.
    """

    height_px: int = 0
    width_px: int = 0
    is_progressive: bool = False
    missing: dict[int, NDArray[np.int8]] = field(default_factory=dict)
    interval: int = 0
    last_scan_at: int = 0
    is_ended: bool = False
    density: tuple[int, int] = (1, 1)


def read_jpeg(data: bytes) -> Jpeg:
    """Read all headers of a JPEG.

    Raises:
        ValueError: There is no frame header.
    """
    found = _read(data)
    if not found.missing:
        raise ValueError("it has no frame header")
    return found


def ending(data: bytes, found: Jpeg, decode: Callable[[bytes], NDArray[np.uint8]]) -> Ending:
    """Return whether a JPEG ends with its marker, has all pixels without it, or is cut.

    If pixels are missing, what is appended is decoded in their place, and other bytes make other pixels.

    Args:
        found: Headers of the same data.
        decode: Returns the pixels of a JPEG; raises an error of any kind if it cannot.
    """
    if found.is_ended:
        return "marked"
    if any(bits.any() for bits in found.missing.values()):
        return "cut"  # a scan is missing
    body = data.rstrip(b"\xff")
    first: NDArray[np.uint8] | None = None
    for filler in _fillers(data, found):
        try:
            pixels = decode(body + filler + END)
        except Exception:  # decoders each have errors
            return "cut"
        if first is not None and not np.array_equal(pixels, first):
            return "cut"
        first = pixels
    return "unmarked"


def _fillers(data: bytes, found: Jpeg) -> Iterator[bytes]:
    for pattern in _FILLERS:
        yield pattern * (_FILLER_BYTES // len(pattern))
    if found.interval:  # the part that would come next begins with a marker
        restarts = _RESTART.findall(data, found.last_scan_at)
        number = (restarts[-1][1] - 0xD0 + 1) % 8 if restarts else 0
        for pattern in _FILLERS:
            yield bytes([0xFF, 0xD0 + number]) + pattern * (_FILLER_BYTES // len(pattern))


def _read(data: bytes) -> Jpeg:
    found, at = Jpeg(), 2
    while (marker := _MARKER.search(data, at)) is not None:
        at, kind = marker.end(), data[marker.end() - 1]
        if kind == _END_OF_IMAGE:
            found.is_ended = True
            break
        length = int.from_bytes(data[at : at + 2], "big")
        _note(kind, data[at + 2 : at + length], found)
        at += length  # skips the segment, and a thumbnail in it
        if kind == _SCAN:
            found.last_scan_at = at
    return found


def _note(kind: int, segment: bytes, found: Jpeg) -> None:
    if kind in _FRAMES and len(segment) >= 6 and not found.missing:
        found.is_progressive = kind in _PROGRESSIVE
        found.height_px, found.width_px = (int.from_bytes(segment[place : place + 2], "big") for place in (1, 3))
        found.missing = {segment[place]: np.full(_COEFFICIENTS, 1, np.int8) for place in range(6, len(segment), 3)}
    elif kind == _SCAN and len(segment) >= 4:
        components = segment[1 : 1 + 2 * segment[0] : 2]
        first, last, bits = segment[-3:] if found.is_progressive else (0, _COEFFICIENTS - 1, 0)
        for component in components:
            if component in found.missing:
                found.missing[component][first : last + 1] = bits & 15
    elif kind == _RESTART_INTERVAL:
        found.interval = int.from_bytes(segment[:2], "big")
    elif kind == _JFIF and segment.startswith(b"JFIF\0") and len(segment) >= 12:
        x, y = (int.from_bytes(segment[place : place + 2], "big") for place in (8, 10))
        found.density = (x, y) if x and y else (1, 1)
