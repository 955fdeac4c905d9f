"""A remote file becomes a local one: whole, checked, and after an interruption from where it stopped."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import BinaryIO

from ...engine.errors import ContractError, FetchError, InputError
from ...engine.system.cache.store import read_entry, write_entry
from ...engine.system.field_types import Sentence
from ...engine.system.files import file_sha256, make_folder, sync_file
from ...engine.system.records import read_record, to_json_object
from .remote import CUT_OFF, Answer, RemoteFile, Unavailable, Unreachable, reason_of, request

PART = ".part"  # what the name of an unfinished file ends with
TRIES = 5  # in a row without one new byte
PAUSE_S = 1.0  # before the second try; doubled for each further one
_CHUNK_BYTES = 1 << 18
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

OnBytes = Callable[[int, "int | None"], None]  # bytes held, bytes of the whole file


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a part is a part of.

    Args:
        file: Hash of the file, or its address if no hash is known.
        tag: The server's name for its state.
    """

    file: Sentence
    tag: Sentence


def download(file: RemoteFile, path: Path, *, on_bytes: OnBytes = lambda held, total: None) -> str:
    """Download a file; returns its sha256. Blocks until the whole file is there, under its name and checked.

    What was received before an interrupt, or before this machine lost its connection, stays beside `path` under a name
    that ends with PART, and the next call goes on with it.

    Args:
        file: The file.
        path: Where it is put; its folder is made.
        on_bytes: Called with bytes held and bytes of the whole file, None if unknown.

    Raises:
        FetchError: It cannot be reached, or is not what it should be; wrong bytes are removed.
        InputError: The disk refuses or is full.
    """
    make_folder(path.parent)
    part = path.with_name(f"{path.name}{PART}")
    origin = path.with_name(f"{path.name}{PART}.json")
    try:
        _receive_all(file, part, origin, on_bytes)
        sha256 = file_sha256(part)
        _check(file, part, origin, sha256)
        sync_file(part)
        part.replace(path)
    except FetchError:
        raise
    except OSError as error:
        raise InputError(_disk_refuses(path, error)) from error
    origin.unlink(missing_ok=True)
    return sha256


def _receive_all(file: RemoteFile, part: Path, origin: Path, on_bytes: OnBytes) -> None:
    """Go on with a part until it is the whole file; try again if the connection is cut."""
    failures, received = 0, False
    while True:
        held = part.stat().st_size if part.exists() else 0
        try:
            if _receive(file, part, origin, on_bytes):
                return
            reason = "the connection was cut"
        except Unavailable as error:
            reason = str(error)
            if isinstance(error, Unreachable) and not received:
                raise FetchError(f"{file.url} cannot be reached: {reason}; check the connection") from None
        grown = (part.stat().st_size if part.exists() else 0) > held
        received = received or grown
        failures = 1 if grown else failures + 1
        if failures == TRIES:
            raise FetchError(f"{file.url} cannot be downloaded: {reason}; the next call goes on where this one stopped")
        sleep(PAUSE_S * 2 ** (failures - 1))


def _receive(file: RemoteFile, part: Path, origin: Path, on_bytes: OnBytes) -> bool:
    """Append what the server sends now; return whether the part is the whole file."""
    held, tag = _held(file, part, origin)
    if held and held == file.size_bytes:
        return True
    answer = request(file, held, tag)
    with answer.stream:
        if answer.first != held or (held and answer.tag != tag):
            if answer.first:  # a part of another file, or another part
                part.unlink()
                return False
            held = 0
        _check_size(file, answer)
        check_room(part.parent, (answer.total or 0) - held)
        write_entry(origin, to_json_object(_Origin(_identity(file), answer.tag)))
        with part.open("r+b" if held else "wb", buffering=0) as written:
            written.seek(held)
            held = _copy(answer, written, held, on_bytes)
    wanted = answer.total if answer.total is not None else file.size_bytes
    return wanted is None or held == wanted


def _held(file: RemoteFile, part: Path, origin: Path) -> tuple[int, str]:
    """Return how many bytes of a file are held, and the tag of its state; 0 if they may be of another file."""
    with suppress(OSError, ContractError):
        known = read_record(_Origin, read_entry(origin), name="it", remedy="")
        size_bytes = part.stat().st_size
        fits = file.size_bytes is None or size_bytes <= file.size_bytes
        if known.file == _identity(file) and fits and (known.tag or file.sha256):
            return size_bytes, known.tag
    return 0, ""


def _identity(file: RemoteFile) -> str:
    return file.sha256 or file.git_sha1 or file.url


def _copy(answer: Answer, written: BinaryIO, held: int, on_bytes: OnBytes) -> int:
    """Write what the server sends; return the bytes held then. A cut connection ends it early."""
    on_bytes(held, answer.total)
    while True:
        try:
            chunk = answer.stream.read(_CHUNK_BYTES)
        except CUT_OFF as error:
            chunk = getattr(error, "partial", b"")
            if not chunk:
                raise Unavailable(reason_of(error)) from error
        if not chunk:
            return held
        _write(written, chunk)
        held += len(chunk)
        on_bytes(held, answer.total)


def _write(written: BinaryIO, chunk: bytes) -> None:
    """Write all bytes of a chunk, which a nearly full disk may take in parts."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[written.write(rest) :]


def _check_size(file: RemoteFile, answer: Answer) -> None:
    """Refuse a file of another size than its publisher states."""
    if None not in (file.size_bytes, answer.total) and file.size_bytes != answer.total:
        raise FetchError(
            f"{file.url} has {answer.total} bytes, expected {file.size_bytes} as {file.page} states; try again later"
        )


def check_room(folder: Path, size_bytes: int) -> None:
    """Refuse what the disk has no room for.

    Raises:
        InputError: With the room that there is and the room that is needed.
    """
    place = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(place).free
    if size_bytes > free:
        raise InputError(
            f"{folder} has room for {free / 1e6:,.0f} MB, {size_bytes / 1e6:,.0f} MB are to come; "
            "free the disk, or choose another folder"
        )


def missing_bytes(file: RemoteFile, path: Path) -> int:
    """Return how much of a file is to come; 0 if its size is unknown."""
    part = path.with_name(f"{path.name}{PART}")
    held = next((place.stat().st_size for place in (path, part) if place.is_file()), 0)
    return max(0, (file.size_bytes or 0) - held)


def is_file(file: RemoteFile, path: Path) -> bool:
    """Return whether a path holds the bytes of a remote file, as far as its hash is known; False if it is not."""
    if not path.is_file() or path.stat().st_size != (file.size_bytes or path.stat().st_size):
        return False
    if file.sha256:
        return file_sha256(path).startswith(file.sha256)
    return bool(file.git_sha1) and git_sha1(path) == file.git_sha1


def _check(file: RemoteFile, part: Path, origin: Path, sha256: str) -> None:
    """Remove a part and refuse it unless its hash is the one that is known."""
    found, expected = sha256, file.sha256
    if not expected and file.git_sha1:
        found, expected = git_sha1(part), file.git_sha1
    if not found.startswith(expected):
        part.unlink()
        origin.unlink()
        raise FetchError(
            f"{file.url} came with the hash {found}, expected {expected}; it was removed: it was damaged on the way, "
            "or is not the published file; try again"
        )


def git_sha1(path: Path) -> str:
    """Return the sha1 by which git knows a file's bytes."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _disk_refuses(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in _DISK:
        return f"{path} cannot be written: {reason}; free the disk: the next call goes on where this one stopped"
    return f"{path} cannot be written: {reason}; check the disk and its rights"
