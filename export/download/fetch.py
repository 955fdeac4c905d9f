"""A published model comes from where its publisher keeps it: the verb `fetch`, and what `export` takes by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone
from pathlib import Path

from ...engine.errors import FetchError, InputError
from ...engine.system.cache.folder import VARIABLE, cache_dir
from ...engine.system.cache.lock import file_lock
from ...engine.system.cache.store import digest
from ...engine.system.files import atomic_path, file_sha256, make_folder
from ...engine.terms import OnStep
from ..catalog import find, find_published
from ..families.entry import CatalogEntry, HubSource, ReleaseSource
from ..licences import check_accepted
from . import hub
from .fetched import Fetched, FetchedFile, find_fetched, is_whole, recall, record_path, remember
from .release import release_file
from .remote import RemoteFile
from .transfer import check_room, download, is_file, missing_bytes

OFFLINE = "HF_HUB_OFFLINE"
_ON = ("1", "true", "yes", "on")  # as huggingface_hub reads the variable


def fetch(
    name: str,
    folder: str | Path | None = None,
    *,
    accept_licence: bool = False,
    on_note: Callable[[str], None] = lambda sentence: None,
    on_bytes: OnStep = lambda title, held, wanted: None,
) -> Path:
    """Return where a published model lies, and download it first unless it is on this machine; blocks meanwhile.

    An interrupt leaves the part that was received, and the next call goes on with it.

    Args:
        name: As `depthrt models` lists it, or an official file or repository name.
        folder: Where to put it. None: where it lies already, or else the hub's own cache (HF_HOME) for files of the
            hub, and depthrt's cache for others.
        accept_licence: Whether you accept the licence of this model, if it restricts the use. Needed once.
        on_note: Called with each sentence that the user should read.
        on_bytes: Called with (file name, bytes held, bytes of the whole file or 0).

    Returns:
        The file, or the folder, that `export` takes.

    Raises:
        InputError: No model has the name, its licence is not accepted, or the disk refuses.
        FetchError: It cannot be downloaded, or the bytes are not those that they should be.
        BackendUnavailable: It lies on the hub, and the extra `hub` is not installed.
    """
    entry = find_published(name)
    check_accepted(entry, accept_licence)
    goal = None if folder is None else Path(folder).absolute()
    with alone(entry.name, on_note):
        present = recall(entry)
        if present is None or not is_whole(present):
            fetched = _from_hubs_cache(entry, goal) if is_offline() else _from_publisher(entry, goal, on_bytes)
        elif goal is None or goal == Path(present.path).parent:
            return Path(present.path)
        else:
            fetched = _copied(entry, present, goal)
        remember(entry, fetched)
    return Path(fetched.path)


def locate(
    name: str | Path,
    *,
    fetching: bool = False,
    accept_licence: bool = False,
    on_note: Callable[[str], None] = lambda sentence: None,
    on_bytes: OnStep = lambda title, held, wanted: None,
) -> Path:
    """Return the file or folder that a path or the name of a published model means.

    Args:
        name: A path that exists is that path, whatever else has its name.
        fetching: Whether to fetch a model that is not on this machine.
        accept_licence, on_note, on_bytes: As in fetch.

    Raises:
        InputError: It is a model that was not fetched.
        DepthrtError: As fetch.
    """
    text, path = str(name), Path(name)
    if path.exists():
        return path
    entry = find_published(text) if fetching else find(text)
    if entry is None or entry.source is None or (path.name != text and text not in entry.repositories):
        return path
    found = find_fetched(entry)
    if found is None and not fetching:
        raise InputError(
            f"{text} is no file here, and the published {entry.name} was not fetched; "
            f"give --fetch, or fetch it with `depthrt fetch {entry.name}` ({entry.licence}, {entry.source.page})"
        )
    found = found or fetch(entry.name, accept_licence=accept_licence, on_note=on_note, on_bytes=on_bytes)
    on_note(f"{text} is {found}.")
    return found


def from_hub(source: HubSource, goal: Path | None, on_bytes: OnStep) -> Fetched:
    """Bring the files of a repository into the hub's cache or a folder."""
    listing = hub.list_files(source)
    blobs = {file.name: hub.blob_path(source, file) for file in listing.files}
    placed = blobs if goal is None else {name: _place(source, goal, name) for name in blobs}
    first = listing.files[0].name
    check_room(placed[first].parent, sum(missing_bytes(file, placed[file.name]) for file in listing.files))
    hashes = {file.name: _bring(file, placed[file.name], blobs[file.name], on_bytes) for file in listing.files}
    if goal is None:
        placed = hub.put_into_cache(source, listing)
    return _fetched(source, placed, hashes, listing.commit)


def is_offline() -> bool:
    """Return whether the user has switched downloads off."""
    return os.environ.get(OFFLINE, "").lower() in _ON


def alone(name: str, on_note: Callable[[str], None]) -> AbstractContextManager[None]:
    """Keep other processes from fetching the same model meanwhile."""
    folder = cache_dir("fetched")
    if folder is None:
        return nullcontext()
    return file_lock(
        folder / f"{digest(name)}.lock",
        on_wait=lambda: on_note(f"Another process fetches {name}; waiting for it."),
    )


def _from_publisher(entry: CatalogEntry, goal: Path | None, on_bytes: OnStep) -> Fetched:
    """Download what this machine lacks of a model."""
    if isinstance(entry.source, HubSource):
        return from_hub(entry.source, goal, on_bytes)
    assert isinstance(entry.source, ReleaseSource)
    return _from_release(entry, entry.source, goal, on_bytes)


def _from_release(entry: CatalogEntry, source: ReleaseSource, goal: Path | None, on_bytes: OnStep) -> Fetched:
    """Bring the file of a release into depthrt's cache or a folder; compare it with the first download."""
    folder = goal or cache_dir("models")
    if folder is None:
        raise InputError(f"there is no cache to put {source.file} into; give a folder with -o, or set {VARIABLE}")
    first = recall(entry)
    file = release_file(entry, source, first.files[0].sha256 if first is not None else "")
    try:
        sha256 = _bring(file, folder / source.file, None, on_bytes)
    except FetchError as error:
        if first is None or first.files[0].sha256 not in str(error):
            raise
        raise FetchError(
            f"{error}. Expected is the hash of the first download, {first.made}; if the publisher has replaced the "
            f"file since, remove {record_path(entry)}"
        ) from None
    return _fetched(source, {source.file: folder / source.file}, {source.file: sha256}, source.tag)


def _from_hubs_cache(entry: CatalogEntry, goal: Path | None) -> Fetched:
    """Take a model that another program left in the hub's cache, without a connection."""
    found = hub.find_in_cache(entry.source) if isinstance(entry.source, HubSource) else None
    if found is None or not isinstance(entry.source, HubSource):
        raise FetchError(f"{entry.name} is not on this machine, and {OFFLINE} is set; unset it to download the model")
    commit, placed = found
    fetched = _fetched(entry.source, placed, _hashes(placed), commit)
    return fetched if goal is None else _copied(entry, fetched, goal)


def _copied(entry: CatalogEntry, present: Fetched, goal: Path) -> Fetched:
    """Copy a model that is on this machine into a folder."""
    source, placed = entry.source, {}
    assert source is not None
    root = _root(source, Path(present.path))
    for file in present.files:
        name = Path(file.path).relative_to(root).as_posix()
        placed[name] = _place(source, goal, name)
        _copy(Path(file.path), placed[name])
    return _fetched(source, placed, _hashes(placed), present.revision)


def _bring(file: RemoteFile, path: Path, copy: Path | None, on_bytes: OnStep) -> str:
    """Put a file under a path, as it lies there, from a copy on this machine or from its publisher; return its hash."""
    if is_file(file, path):
        return file_sha256(path)
    if copy is not None and copy != path and is_file(file, copy):
        _copy(copy, path)
        return file_sha256(path)
    return download(file, path, on_bytes=lambda held, total: on_bytes(file.name, held, total or 0))


def _copy(origin: Path, path: Path) -> None:
    make_folder(path.parent)
    with atomic_path(path) as unfinished:
        shutil.copyfile(origin, unfinished)


def _place(source: HubSource | ReleaseSource, goal: Path, name: str) -> Path:
    """Return where a file goes in a folder that the user gives; a folder of files gets the repository's name there."""
    is_folder = isinstance(source, HubSource) and source.folder
    return goal / source.repository.rpartition("/")[2] / name if is_folder else goal / Path(name).name


def _root(source: HubSource | ReleaseSource, path: Path) -> Path:
    """Return the folder below which a model's files have their names."""
    return path if isinstance(source, HubSource) and source.folder else path.parent


def _hashes(placed: Mapping[str, Path]) -> dict[str, str]:
    return {name: file_sha256(path) for name, path in placed.items()}


def _fetched(
    source: HubSource | ReleaseSource, placed: Mapping[str, Path], hashes: Mapping[str, str], revision: str
) -> Fetched:
    """Return the record of a model whose files lie where `placed` says, with their hashes."""
    name, first = next(iter(placed.items()))
    is_folder = isinstance(source, HubSource) and source.folder
    path = first.parents[name.count("/")] if is_folder else first
    files = tuple(FetchedFile(str(file), file.stat().st_size, hashes[name]) for name, file in placed.items())
    return Fetched(str(path), revision, datetime.now(timezone.utc).isoformat(timespec="seconds"), files)
