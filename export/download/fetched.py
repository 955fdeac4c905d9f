"""What was fetched on this machine: where each model lies, and the hashes of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...engine.system.cache.store import REMEDY, Key, Store
from ...engine.system.field_types import Bytes, Name, Sentence, Sha256
from ...engine.system.files import file_sha256
from ...engine.system.records import read_record, to_json_object
from ..families.entry import CatalogEntry

FETCHED = Store("fetched", "fetched")


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """One file of a model.

    Args:
        path: Where it lies.
        size_bytes: Of the file.
        sha256: Of the file, when it was fetched.
    """

    path: Sentence
    size_bytes: Bytes
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model that was fetched.

    Args:
        path: What is given to `export`: the file, or the folder.
        revision: Commit or tag of its source.
        made: When, as ISO 8601.
        files: All that was fetched.
    """

    path: Sentence
    revision: Name
    made: Name
    files: tuple[FetchedFile, ...]


def remember(entry: CatalogEntry, fetched: Fetched) -> None:
    """Remember where a model lies."""
    FETCHED.remember(_key(entry), to_json_object(fetched), path=Path(fetched.path))


def recall(entry: CatalogEntry) -> Fetched | None:
    """Return what is remembered of a model, whether or not its files still exist."""
    return FETCHED.recall(_key(entry), _read, remedy="the model counts as not fetched")


def find_fetched(entry: CatalogEntry) -> Path | None:
    """Return where a model lies, if all of its files are there; their sizes are compared, their bytes are not."""
    fetched = recall(entry)
    return Path(fetched.path) if fetched is not None and _have_sizes(fetched) else None


def is_whole(fetched: Fetched) -> bool:
    """Return whether all files of a model are as they were fetched; reads them."""
    return _have_sizes(fetched) and all(file_sha256(Path(file.path)) == file.sha256 for file in fetched.files)


def record_path(entry: CatalogEntry) -> Path | None:
    """Return the file in which a model is remembered."""
    return FETCHED.find(_key(entry))


def _have_sizes(fetched: Fetched) -> bool:
    try:
        return all(Path(file.path).stat().st_size == file.size_bytes for file in fetched.files)
    except OSError:
        return False


def _read(content: Any) -> Fetched:  # noqa: ANN401 (JSON)
    return read_record(Fetched, content, name="it", remedy=REMEDY)


def _key(entry: CatalogEntry) -> Key:
    return {"model": entry.name}
