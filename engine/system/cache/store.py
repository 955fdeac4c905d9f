"""Remembered JSON: one file an entry, named by the hash of its key. Reading never raises."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ...errors import ContractError, InputError
from ..files import atomic_path, open_file
from ..json_object import parse_object
from .folder import cache_dir, known_dir, warn_once

FORMAT = 1  # version of an entry; others count as absent
REMEDY = "it counts as absent"  # of errors about an entry; the warning has another
_LONGEST_ENTRY = 4 << 20  # bytes; a tuning of ten trials has 3,000

T = TypeVar("T")
Key = Mapping[str, object]  # all that an entry depends on, as JSON types

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Store:
    """The entries of one kind: `{"format": 1, "key": {...}, CONTENT: ...}`.

    Args:
        folder: Of the cache.
        content: The key of an entry that holds what is remembered.
        most: Entries that are kept; those written longest ago go. None keeps all.
    """

    folder: str
    content: str
    most: int | None = None

    def find(self, key: Key) -> Path | None:
        """Return the file of an entry, or None if there is none; creates nothing."""
        folder = known_dir(self.folder)
        file = folder / _file_name(key) if folder is not None else None
        return file if file is not None and _is_there(file) else None

    def recall(self, key: Key, read: Callable[[Any], T], *, remedy: str) -> T | None:
        """Return what is remembered for a key; never raises.

        An entry that is damaged or that `read` refuses counts as absent, and a warning says so once.

        Args:
            key: All that it depends on.
            read: Makes a value of the entry's content, or raises; its errors end in REMEDY.
            remedy: What happens without the entry, for the warning.
        """
        file = self.find(key)
        if file is None:
            return None
        try:
            entry = read_entry(file)
            return read(self._content_of(entry, key))
        except FileNotFoundError:  # another process removed it meanwhile
            return None
        except Exception as error:  # a cache must not stop a model from loading
            reason = " ".join(str(error).split()).removesuffix(f"; {REMEDY}") or type(error).__name__
            warn_once(f"depthrt: {file}, in the cache, cannot be used ({reason}); {remedy}")
            return None

    def _content_of(self, entry: dict[str, Any], key: Key) -> object:
        """Return the content of an entry that remember wrote for a key."""
        given, path = entry.get("format"), entry.get("path", "")
        # Hashes tell true from 1, which Python's == does not.
        if type(given) is not int or given != FORMAT or digest(entry.get("key")) != digest(key):
            raise ContractError("it is of another format or key than its name says")
        if entry.keys() - {"path"} != {"format", "key", self.content} or type(path) is not str:
            raise ContractError(f"it has other keys than format, path, key and {self.content}")
        return entry[self.content]

    def remember(self, key: Key, content: object, *, path: Path | None = None) -> Path | None:
        """Write an entry, whole or not at all; it replaces the one that was there.

        Args:
            key: All that it depends on.
            content: What is remembered, as JSON types.
            path: Of the model file, for people who read the entry.

        Returns:
            The file, or None if this machine has no cache that can be written, which a warning says.

        Raises:
            InputError: The disk refuses.
        """
        folder = cache_dir(self.folder)
        if folder is None:
            return None
        file = folder / _file_name(key)
        beside = {} if path is None else {"path": str(path.absolute())}
        write_entry(file, {"format": FORMAT, **beside, "key": key, self.content: content})
        if self.most is not None:
            remove_oldest(folder.glob("*.json"), most=self.most)
        return file

    def forget(self, key: Key) -> Path | None:
        """Remove an entry; return its file, or None if there was none.

        Raises:
            InputError: The system refuses.
        """
        file = self.find(key)
        if file is None:
            return None
        try:
            file.unlink()
        except OSError as error:
            raise InputError(f"{file} cannot be removed: {error.strerror or error}; check its rights") from error
        return file

    def read_keys(self) -> list[dict[str, Any]]:
        """Return the keys of all entries that can be read."""
        folder = known_dir(self.folder)
        found = []
        for file in folder.glob("*.json") if folder is not None else ():
            try:
                key = read_entry(file).get("key")
            except (ContractError, OSError):
                continue  # recall warns of it once its key is asked for
            if isinstance(key, dict):
                found.append(key)
        return found


def digest(key: object) -> str:
    """Return a key, which is of JSON types, as a short file name."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32]


def read_entry(file: Path) -> dict[str, Any]:
    """Return the JSON object that a file of the cache holds.

    Raises:
        ContractError: It is not a JSON object, too long for one, or not a plain file.
        OSError: The system refuses.
    """
    with open_file(file, failure=ContractError) as stream:
        text = stream.read(_LONGEST_ENTRY + 1)
    if len(text) > _LONGEST_ENTRY:
        raise ContractError(f"it has more than {_LONGEST_ENTRY} bytes")
    return parse_object(text, name="it", remedy=REMEDY)


def write_entry(file: Path, entry: Mapping[str, object]) -> None:
    """Write a JSON object to a file of the cache, whole or not at all.

    Raises:
        InputError: The disk refuses.
    """
    with atomic_path(file) as temporary:
        temporary.write_text(json.dumps(entry, indent=1, allow_nan=False), encoding="utf-8")


def remove_oldest(
    entries: Iterable[Path],
    *,
    most: int,
    weigh: Callable[[Path], int] = lambda entry: 1,
    keep: Path | None = None,
) -> None:
    """Remove files and folders, those used longest ago first, until the rest weighs at most `most`.

    Args:
        entries: Another process may remove them meanwhile.
        most: Number of entries, or sum of what `weigh` returns.
        weigh: Returns the weight of one entry, such as size_bytes.
        keep: Weighs first and is never removed.
    """
    left = 0
    for entry in sorted(entries, key=lambda entry: (entry != keep, -last_used_s(entry))):
        left += weigh(entry)
        if left > most and entry != keep:
            _remove(entry)


def size_bytes(entry: Path) -> int:
    """Return the size of a file, or of the files in a folder; 0 for what was removed meanwhile."""
    try:
        return sum(map(size_bytes, entry.iterdir())) if entry.is_dir() else entry.stat().st_size
    except OSError:
        return 0


def last_used_s(entry: Path) -> float:
    """Return the time of an entry's last change, in seconds; 0 for what was removed meanwhile."""
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _file_name(key: Key) -> str:
    return f"{digest(key)}.json"


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False


def _remove(entry: Path) -> None:
    try:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)
    except OSError as error:  # on Windows, while a process reads it; anywhere, if another process was faster
        logger.debug("depthrt: %s stays in the cache: %s", entry, error)
