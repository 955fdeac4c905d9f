"""A path in, an open bag out: a folder or a file, whole or cut, compressed as a whole or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import zstandard

from ...engine.errors import InputError
from ...engine.system.files import check_named, open_file, pieces_of
from .bag import REMEDY, Bag
from .cut_bag import CutBag
from .names import METADATA, ZSTD_SUFFIX, is_storage
from .whole_bag import WholeBag

_NUMBER = re.compile(r"(\d+)")


@contextmanager
def open_bag(path: Path) -> Iterator[Bag]:
    """Give an open bag: a rosbag2 (its folder, or one of its files), or a ROS 1 bag.

    A bag that is cut off, or whose recorder was killed, is opened too: its flaw says so.

    Raises:
        InputError: The path is missing or is not a bag.
    """
    check_named(path, "bag")
    if not path.exists():
        raise InputError(f"{path} does not exist, expected a bag: a folder, .mcap, .db3 or .bag; {REMEDY}")
    with ExitStack() as stack:
        bag = _open(path, stack)
        stack.callback(bag.close)
        yield bag


def _open(path: Path, stack: ExitStack) -> Bag:
    files = storage_files(path)
    is_whole = path.is_dir() and (path / METADATA).exists()
    if is_whole or (len(files) == 1 and files[0].suffix != ZSTD_SUFFIX):
        try:
            return WholeBag(path if is_whole else files[0])
        except InputError as error:
            reason = str(error).removeprefix(f"{path} is not a whole bag: ")
    else:
        reason = f"it has no {METADATA}" if path.is_dir() else "its file is compressed as a whole"
    return CutBag(path, [_inflate(file, stack) if file.suffix == ZSTD_SUFFIX else file for file in files], reason)


def storage_files(path: Path) -> list[Path]:
    """Return the files of a bag in the order of their numbers: those in a folder, or the file itself.

    Raises:
        InputError: The folder holds none.
    """
    if path.is_file():
        return [path]
    found = [file for file in path.iterdir() if is_storage(file)]
    if not found:
        raise InputError(f"{path} holds no .mcap, .db3 or .bag file, expected a bag; {REMEDY}")
    return sorted(
        found, key=lambda file: [(int(part) if part.isdigit() else -1, part) for part in _NUMBER.split(file.name)]
    )


def _inflate(file: Path, stack: ExitStack) -> Path:
    """Return a temporary copy of a compressed file: all that can be read of it."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="depthrt-bag-")))
    copy = folder / file.stem
    with open_file(file) as compressed, copy.open("wb") as plain:
        inflater = zstandard.ZstdDecompressor().decompressobj()
        try:
            for piece in pieces_of(compressed):
                plain.write(inflater.decompress(bytes(piece)))
        except zstandard.ZstdError:
            pass  # it is damaged from here on, which the copy shows
    return copy
