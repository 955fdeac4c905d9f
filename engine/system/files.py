"""Writes a file whole or not at all: a temporary file beside it, then one rename."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import DepthrtError, InputError

_TOKEN_BYTES = 4  # of the name of a temporary file


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path, in the same folder and with the same suffix, that becomes `path` at the end.

    On any exception, an interrupt included, the temporary file is removed and what stood at `path`
    stays as it was. A symbolic link at `path` keeps pointing where it pointed.

    Args:
        path: The file to be; its folder must exist.

    Raises:
        InputError: The folder is missing, `path` is a folder or a device, or the disk refuses.
    """
    with _beside(path) as (final, temporary):
        yield temporary
        temporary.replace(final)


def check_output(path: str | Path, *, suffix: str, source: str | Path) -> None:
    """Refuse a file that cannot be written, or should not be, before the work on what is to stand in it.

    Args:
        path: The file to be.
        suffix: Of every file of its format.
        source: What it is made from, which it must not replace.

    Raises:
        InputError: As atomic_path, or the name ends otherwise, or `path` is the source.
    """
    if Path(path).suffix != suffix:
        raise InputError(f"{path} found as the file to write, expected a name that ends in {suffix}")
    if Path(path).resolve() == Path(source).resolve():
        raise InputError(f"{path} is {source}, which the file is made from; choose another name")
    try_place(path)


def try_place(path: str | Path) -> None:
    """See that a file can be written, before the work on it; leaves nothing, and what stands there as it is.

    Raises:
        InputError: As atomic_path.
    """
    with _beside(path) as (_, temporary):
        temporary.touch()


def remove_unfinished(path: Path) -> None:
    """Remove what a process that was killed while it wrote `path` left beside it; nobody else may be writing it now."""
    name = re.compile(rf"\.{re.escape(path.stem)}\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}{re.escape(path.suffix)}")
    with suppress(OSError):
        for found in path.parent.iterdir():
            if name.fullmatch(found.name):
                found.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder for outputs, and those that it lies in, where they are missing.

    Raises:
        InputError: Something else has its name, or the disk refuses.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"folder {folder} cannot be made: {error.strerror or error}; choose another place") from error


def check_reachable(path: str | Path, failure: type[DepthrtError] = InputError) -> None:
    """Raise `failure` where the system does not even say whether `path` is there: no right to look, a name too long."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise failure(f"{path} cannot be reached: {error.strerror or error}; check its name and rights") from error


@contextmanager
def _beside(path: str | Path) -> Iterator[tuple[Path, Path]]:
    """Give the file that `path` means, and a temporary one beside it that is removed at the end."""
    check_reachable(path)
    final = Path(path).resolve()
    if not final.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {final.parent} does not exist; create it first")
    if final.exists() and not final.is_file():
        # A rename would put a plain file in the place of /dev/null or a pipe.
        raise InputError(f"{path} cannot be written: it is there and is not a plain file; choose another name")
    # The writers that get this path choose their format by its suffix.
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(_TOKEN_BYTES)}{final.suffix}")
    try:
        yield final, temporary
    except OSError as error:
        if error.filename not in (None, str(temporary)):
            raise  # about another file, which the block was reading
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}; check the disk and its rights"
        ) from error
    finally:
        with suppress(OSError):  # a disk that cannot be written to refuses this even where there is no file
            temporary.unlink()
