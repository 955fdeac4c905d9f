"""Reads and encodes the metadata of an ONNX file without the onnx library and without reading its graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import ModelFileError
from ..system.files import open_file
from ..system.first_bytes import HEAD_BYTES
from .misplaced import misplaced

# Field numbers of onnx.ModelProto. Source: onnx/onnx.proto
_GRAPH_FIELD, _METADATA_FIELD = 7, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_ENTRY = 64 << 20  # bytes; a contract has 5,000, up to 22 million with the largest canary


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of metadata_props.

    Args:
        value: Its text.
        start, end: Its first byte in the file, and the byte after its last.
    """

    value: str
    start: int
    end: int


def read_onnx_metadata(path: Path) -> dict[str, str]:
    """Return metadata_props of an ONNX file; see read_onnx_entries."""
    return {key: entry.value for key, entry in read_onnx_entries(path).items()}


def encode_entry(key: str, value: str) -> bytes:
    """Return an entry of metadata_props as bytes, which can be appended to an ONNX file."""
    parts = (_bytes_field(number, text.encode()) for number, text in ((1, key), (2, value)))
    return _bytes_field(_METADATA_FIELD, b"".join(parts))


def read_onnx_entries(path: Path) -> dict[str, Entry]:
    """Return metadata_props of an ONNX file, skipping over its graph and over entries of more than 64 MiB.

    Raises:
        ModelFileError: The file is missing or truncated, is not an ONNX file, or has an entry twice.
    """
    try:
        with open_file(path, expected="a model file", failure=ModelFileError) as file:
            size = file.seek(0, 2)
            file.seek(0)
            return _walk_model(file, size)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, UnicodeDecodeError) as error:
        with path.open("rb") as file:
            other = misplaced(file.read(HEAD_BYTES), str(path), expected="an ONNX model")
        raise ModelFileError(other or f"{path} is not a whole ONNX file ({error}); export it again") from error


def _walk_model(file: BinaryIO, size: int) -> dict[str, Entry]:
    """Read the top-level fields of a ModelProto; raise ValueError unless they are well formed."""
    metadata: dict[str, Entry] = {}
    has_graph = False
    while (start := file.tell()) < size:
        field, kind = divmod(_read_varint(file), 8)
        if kind == _VARINT:
            _read_varint(file)
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind) or (_read_varint(file) if kind == _BYTES else -1)
        if length < 0 or file.tell() + length > size:
            raise ValueError(f"field {field} ends outside the file")
        if field == _METADATA_FIELD and length <= _LONGEST_ENTRY:
            key, value = _read_entry(file.read(length))
            if key in metadata:
                raise ValueError(f"metadata {key!r:.40} stands twice in it")
            metadata[key] = Entry(value, start, file.tell())
        else:
            has_graph |= field == _GRAPH_FIELD
            file.seek(length, 1)
    if not has_graph:
        raise ValueError("it has no graph")
    return metadata


def _read_entry(data: bytes) -> tuple[str, str]:
    """Read a StringStringEntryProto: key is field 1, value field 2."""
    parts = {1: "", 2: ""}
    at = 0
    while at < len(data):
        tag, at = _varint_at(data, at)
        length, at = _varint_at(data, at)
        parts[tag >> 3] = data[at : at + length].decode("utf-8")
        at += length
    return parts[1], parts[2]


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number runs past its end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _read_varint(file: BinaryIO) -> int:
    start = file.tell()
    value, length = _varint_at(file.read(10), 0)
    file.seek(start + length)
    return value


def _bytes_field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
