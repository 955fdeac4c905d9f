"""The digest: sums over the bytes of a model file and of the weights beside it, which stand in its contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from zlib import crc32

from ..system.field_types import Bytes, Length, Limit, Pattern, Sha256, Text
from ..system.files import pieces_of

FileName = Annotated[
    str, Text(1, 255), Limit(lambda name: Path(name).name == name and "\\" not in name, "without a folder")
]
Crc32 = Annotated[str, Pattern("[0-9a-f]{8}", "of 8 hexadecimal digits")]
Span = tuple[int, int]  # first byte, byte after the last
NO_CRC32, NO_SHA256 = "0" * 8, "0" * 64


@dataclass(frozen=True, slots=True)
class Beside:
    """A file of weights beside a model file.

    Args:
        name: Of the file, in the folder of the model file.
        bytes, crc32, sha256: Of the whole file.
    """

    name: FileName
    bytes: Bytes
    crc32: Crc32
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Digest:
    """Sums of a model file: of every byte outside the contract, then of the contract's JSON.

    crc32 is compared at each load: it notices any change of up to 32 bits in a row and all but one in 2^32 of larger
    ones, and takes 0.3 ms a MiB (sha256: 0.7 with the CPU's own instructions for it, 3 without). sha256 is compared by
    `depthrt info --check`. Neither is a signature: who changes a file on purpose can change its digest too.

    Args:
        bytes: Number of bytes outside the contract.
        crc32: For it the JSON has NO_CRC32 here.
        sha256: For it the JSON has NO_SHA256 here, and NO_CRC32.
        weights: The files beside it.
    """

    bytes: Bytes
    crc32: Crc32
    sha256: Sha256
    weights: Annotated[tuple[Beside, ...], Length(0, 16)]


def sum_crc32(path: Path, spans: Iterable[Span], end: bytes = b"") -> str:
    """Return crc32 of spans of a file and of the bytes that follow, in hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    found = 0
    for piece in _pieces(path, spans):
        found = crc32(piece, found)
    return f"{crc32(end, found):08x}"


def sum_sha256(path: Path, spans: Iterable[Span], end: bytes = b"") -> str:
    """Return sha256 of spans of a file and of the bytes that follow, in hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    found = sha256()
    for piece in _pieces(path, spans):
        found.update(piece)
    found.update(end)
    return found.hexdigest()


def _pieces(path: Path, spans: Iterable[Span]) -> Iterator[memoryview]:
    """Give the bytes of spans of a file piece by piece, in memory that is used again."""
    with path.open("rb", buffering=0) as file:
        for start, end in spans:
            file.seek(start)
            yield from pieces_of(file, end - start)
