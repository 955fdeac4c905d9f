"""The two containers of torch.save: a zip file with a pickle and storages, and before torch 1.6 one after the other."""

from __future__ import annotations

import io
import mmap
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch

from .names import NeedsCode
from .objects import Named
from .stored import Storage, storage_dtype
from .unpickle import MOST_BYTES, Malformed, unpickle

OLD_MAGIC = 0x1950A86A20F9469CFC6C  # the pickled number at the start of files of torch < 1.6
_OLD_PROTOCOL = 1001
_LOCAL_HEADER_BYTES = 30  # Source: APPNOTE.TXT 6.3.10, section 4.3.7


def read_zip(path: Path) -> object:
    """Return what a zip file of torch.save holds; tensors stay in the file until they are used.

    Raises:
        NeedsCode, Malformed: As unpickle.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        names = {member.filename: member for member in archive.infolist()}
        mapping = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    root = next(name for name in names if name.endswith("/data.pkl")).removesuffix("data.pkl")
    order = b"little"
    if f"{root}byteorder" in names:
        named = names[f"{root}byteorder"]
        order = bytes(_content(path, mapping, named, min(named.file_size, len(b"little"))))
    if order not in (b"little", b"big"):
        raise Malformed("its order of bytes is unknown")
    pickled = names[f"{root}data.pkl"]
    if pickled.file_size > MOST_BYTES:
        raise Malformed(f"its pickle has {pickled.file_size} bytes, expected at most {MOST_BYTES}")
    storages: dict[object, Storage] = {}

    def storage(dtype: torch.dtype, key: object, count: int) -> Storage:
        member, size = names.get(f"{root}data/{key}"), count * dtype.itemsize
        if member is None or member.file_size < size:
            raise Malformed(f"it lacks numbers of storage {key}")

        def read() -> object:
            return _ordered(_content(path, mapping, member, size, align=dtype.itemsize), dtype, order)

        return storages.setdefault((key, dtype), Storage(dtype, count, read))

    return unpickle(io.BytesIO(_content(path, mapping, pickled, pickled.file_size)), _persistent(storage))


def read_old(path: Path) -> object:
    """Return what a file of torch before 1.6 holds; its tensors are copies of the file.

    Raises:
        NeedsCode, Malformed: As unpickle.
    """
    with path.open("rb") as file:
        mapping = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        magic, protocol, system = (unpickle(file, _nothing_outside) for _ in range(3))
        if magic != OLD_MAGIC or protocol != _OLD_PROTOCOL or not isinstance(system, dict):
            raise Malformed("its beginning is not that of a file of torch.save")
        order = b"little" if system.get("little_endian", True) else b"big"
        storages: dict[object, Storage] = {}
        places: dict[object, int] = {}

        def storage(dtype: torch.dtype, key: object, count: int) -> Storage:
            def read() -> object:
                place = places[key]
                return _ordered(bytearray(mapping[place : place + count * dtype.itemsize]), dtype, order)

            return storages.setdefault(key, Storage(dtype, count, read))

        found = unpickle(file, _persistent(storage))
        keys = unpickle(file, _nothing_outside)
        places |= _places(keys, storages, mapping[file.tell() :], file.tell(), order)
    return found


def _places(
    keys: object, storages: dict[object, Storage], rest: memoryview, start: int, order: bytes
) -> dict[object, int]:
    """Return where the numbers of each storage begin: one after the other, each behind its count.

    Args:
        keys: Of the storages, in their order in the file.
        storages: By key.
        rest: The file behind the keys.
        start: Where `rest` begins in the file.
        order: Of the bytes of a count.
    """
    places: dict[object, int] = {}
    place = 0
    for key in keys if isinstance(keys, list) else []:
        held = storages.get(key) if isinstance(key, str | int) else None
        if held is None:
            raise Malformed("it holds a storage that nothing uses")
        if int.from_bytes(rest[place : place + 8], "big" if order == b"big" else "little") != held.count:
            raise Malformed("it is cut off, or the sizes of its storages differ")
        places[key] = start + place + 8
        place += 8 + held.size_bytes
    if place > len(rest) or storages.keys() - places.keys():
        raise Malformed("it lacks numbers of its storages")
    return places


def _nothing_outside(found: object) -> object:
    raise NeedsCode("an object outside the file")


def _persistent(storage: Callable[[torch.dtype, object, int], Storage]) -> Callable[[object], object]:
    """Return the reader of persistent ids: storages, and before torch 1.6 classes with their source text."""

    def read(found: object) -> object:
        kind, *parts = found if isinstance(found, tuple) and found else (None,)
        if kind == "module" and parts:
            return parts[0]
        if kind != "storage" or len(parts) < 4 or not isinstance(parts[0], Named):
            raise NeedsCode("an object outside the file")
        of_class, key, _, count, *view = parts
        dtype = storage_dtype(of_class.name)
        if dtype is None or not isinstance(key, str | int) or type(count) is not int or not 0 <= count < 1 << 48:
            raise Malformed("a storage without type, key or size")
        if view and view[0] is not None:
            raise Malformed("a storage that is a view of another")
        return storage(dtype, key, count)

    return read


def _content(
    path: Path, mapping: memoryview, member: zipfile.ZipInfo, size: int, *, align: int = 1
) -> memoryview | bytearray:
    """Return the first bytes of a member: mapped if they stand in the file as they are and begin at a whole number."""
    if member.compress_type != zipfile.ZIP_STORED:
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            return bytearray(file.read(size))
    header = mapping[member.header_offset : member.header_offset + _LOCAL_HEADER_BYTES]
    start = member.header_offset + _LOCAL_HEADER_BYTES
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    found = mapping[start : start + size]
    if len(found) != size:
        raise Malformed(f"it ends in {member.filename}")
    return bytearray(found) if start % max(1, align) else found


def _ordered(found: memoryview | bytearray, dtype: torch.dtype, order: bytes) -> memoryview | bytearray:
    """Return bytes in the order of this machine."""
    if order.decode("latin-1") == sys.byteorder or dtype.itemsize < 2:
        return found
    width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    flipped = bytearray(len(found))
    for place in range(width):
        flipped[place::width] = found[width - 1 - place :: width]
    return flipped
