"""Folders of compiled models, so that a runner compiles a file once on a machine."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

from ...errors import DepthrtError, InputError
from ..files import file_sha256
from .folder import cache_dir, known_dir, warn_once
from .store import digest, last_used_s, read_entry, remove_oldest, size_bytes, write_entry

BOUND_BYTES = 4 << 30  # of all compiled models; Depth Anything V2 Small takes 95 MiB, Large 1.3 GiB
_UNFINISHED = ".new-"
_ABANDONED_S = 86400.0  # a folder begun so long ago was interrupted: nothing compiles for a day
_SUMS = "sha256.json"  # of every file beside it


@contextmanager
def compiled_folder(name: str, key: Mapping[str, object]) -> Iterator[Path | None]:
    """Give a folder to compile into or to load from; a new folder is kept if the block ends well.

    The hashes of its files are checked, because a runner does not notice a changed byte in the weights; a damaged
    folder is compiled again. The least recently used folders are removed above BOUND_BYTES.

    Args:
        name: Of the runner.
        key: All that a compiled model depends on.

    Yields:
        The folder, or None if nothing is compiled and this machine has no cache that can be written.
    """
    entry, known = digest(key), known_dir(name)
    if known is not None and _is_whole(known / entry):
        with suppress(OSError):
            os.utime(known / entry)  # folders used last are kept longest
        yield known / entry
        return
    home = cache_dir(name)
    if home is None:
        yield None
        return
    final = home / entry
    shutil.rmtree(final, ignore_errors=True)
    unfinished = home / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        yield unfinished
        _publish(unfinished, final)
        _prune(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(unfinished: Path, final: Path) -> None:
    """Rename the folder, unless another process was faster or nothing was written, as on a full disk."""
    try:
        sums = _sums(unfinished) if unfinished.is_dir() else {}
        if not sums:
            raise InputError("the runner wrote nothing, as on a full disk")
        write_entry(unfinished / _SUMS, sums)
        unfinished.rename(final)
    except (OSError, InputError) as error:
        if not final.is_dir():
            warn_once(f"depthrt: nothing compiled is kept in {final.parent} ({error}); each load compiles again")


def _is_whole(folder: Path) -> bool:
    """Return whether a folder exists and has the very files that were compiled.

    22 ms for the 37 MiB of the model that comes with depthrt (1.8 GB/s), which takes 400 ms to compile.
    """
    try:
        if not folder.is_dir():
            return False
        sums = _sums(folder)
        whole = bool(sums) and read_entry(folder / _SUMS) == sums
    except (OSError, DepthrtError):
        whole = False
    if not whole:
        warn_once(f"depthrt: {folder}, in the cache, is damaged; the model is compiled again")
    return whole


def _sums(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file by its name.

    Raises:
        OSError: A file cannot be read, or is a folder or a pipe, which no runner writes.
    """
    files = [file for file in folder.iterdir() if file.name != _SUMS]
    if not all(file.is_file() for file in files):
        raise OSError("it holds what is not a file")
    return {file.name: file_sha256(file) for file in files}


def _prune(home: Path) -> None:
    """Remove the least recently used folders; another process that has mapped one keeps its mapping."""
    folders = set(home.iterdir())
    unfinished = {folder for folder in folders if folder.name.startswith(_UNFINISHED)}
    remove_oldest(folders - unfinished, most=BOUND_BYTES, weigh=size_bytes)
    for folder in unfinished:  # another process compiles into it, unless it was stopped
        if time() - last_used_s(folder) > _ABANDONED_S:
            shutil.rmtree(folder, ignore_errors=True)
