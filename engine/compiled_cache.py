"""The folders in which a runner keeps its compiled models, so that a file is compiled once on a machine."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from .cache import cache_dir
from .file_identity import digest

BOUND_BYTES = 4 << 30  # of all compiled models; Depth Anything V2 Small takes 95 MiB, Large 1.3 GiB
_UNFINISHED = ".new-"


@contextmanager
def compiled_folder(name: str, key: Mapping[str, object]) -> Iterator[Path | None]:
    """Give a folder to compile into or to load from; one that is new counts when the block ends well.

    The least recently used folders go when they are too much together.

    Args:
        name: Of the runner.
        key: All that a compiled model depends on.

    Yields:
        The folder, or None where this machine has no cache.
    """
    home = cache_dir(name)
    if home is None:
        yield None
        return
    final = home / digest(key)
    if final.is_dir():
        with suppress(OSError):
            os.utime(final)  # what was used last is kept longest
        yield final
        return
    unfinished = home / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        yield unfinished
        _publish(unfinished, final)
        _prune(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _publish(unfinished: Path, final: Path) -> None:
    """Rename; where another process was faster, or nothing was written, there is nothing to do."""
    with suppress(OSError):
        unfinished.rename(final)


def _prune(home: Path) -> None:
    """Remove the least recently used folders; one in use by another process stays mapped there."""
    used = 0
    for folder in sorted(home.iterdir(), key=_used_last, reverse=True):
        used += sum(file.stat().st_size for file in folder.glob("*"))
        if used > BOUND_BYTES and not folder.name.startswith(_UNFINISHED):
            shutil.rmtree(folder, ignore_errors=True)


def _used_last(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # gone meanwhile
        return 0.0
