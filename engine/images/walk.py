"""A folder in, the files below it out, linked folders entered, each file once; and what was left out, counted."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from glob import has_magic
from itertools import takewhile
from pathlib import Path

from .kinds import UNREAD_SUFFIXES

_NUMBER = re.compile("([0-9]+)")
_MOST_NAMED = 3  # examples in a line


@dataclass(slots=True)
class LeftOut:
    """What a walk or a pattern has left out, although it looks like something to read.

    Args:
        outputs: Number of images and videos in the folder of outputs.
        folder: The folder of outputs.
        kinds: Number of files of kinds that are not read, by suffix.
        repeated: Links to files that are taken under another name.
        hidden: Files whose names begin with a dot.
        broken: Links to nothing, and names of something that is not a plain file.
        closed: Folders that the system does not open.
    """

    outputs: int = 0
    folder: Path = Path()
    kinds: Counter[str] = field(default_factory=Counter)
    repeated: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)
    closed: list[Path] = field(default_factory=list)

    def add(self, other: LeftOut) -> None:
        """Add what another walk has left out."""
        self.outputs += other.outputs
        self.kinds.update(other.kinds)
        for name in ("repeated", "hidden", "broken", "closed"):
            getattr(self, name).extend(getattr(other, name))

    def __bool__(self) -> bool:
        return bool(self.outputs or self.kinds or self.repeated or self.hidden or self.broken or self.closed)

    def __str__(self) -> str:
        parts = (
            [f"the folder of outputs, {self.folder} (images and videos in it: {self.outputs})"] if self.outputs else []
        )
        if self.kinds:
            suffixes = " ".join(sorted(self.kinds, key=lambda suffix: (-self.kinds[suffix], suffix)))
            parts.append(f"{_count(self.kinds.total(), 'file')} of a kind that is not read ({suffixes})")
        for paths, what, kind in (
            (self.repeated, "link", "to a file that is taken already"),
            (self.hidden, "hidden file", ""),
            (self.broken, "name", "of a missing or special file"),
            (self.closed, "folder", "that cannot be opened"),
        ):
            if paths:
                parts.append(f"{_count(len(paths), what)} {kind} ({_examples(paths)})".replace("  ", " "))
        return "left out: " + ", ".join(parts)


def files_below(
    folder: Path, suffixes: Iterable[str], *, left_out: LeftOut | None = None, repeats: bool = False
) -> list[Path]:
    """Return the files below a folder that have one of the suffixes, sorted by path, numbers in it by their value.

    Linked folders are entered, each folder once, so a loop of links ends. A file that has its own name and is also
    linked to is taken once, under its own name if that is below the folder.

    Args:
        suffixes: In lower case; upper case in names is the same.
        left_out: Is told what is not taken: pictures and videos of other kinds, links to files that are taken, hidden
            files, missing and special files, folders that cannot be opened.
        repeats: Take links to files that are taken already too.
    """
    left = LeftOut() if left_out is None else left_out
    wanted = frozenset(suffixes)
    found = [path for path in _walk(folder, left) if is_wanted(path, wanted, left)]
    return sorted(once(found, left, repeats=repeats), key=order)


def matches_below(folder: Path, pattern: str, left_out: LeftOut) -> list[Path]:
    """Return the names of files below a folder that match a pattern, linked folders entered, each folder once.

    Unlike glob.glob it ends soon in loops of links. As there, names with a dot first match only patterns with one.
    """
    wanted = Path(pattern).parts
    return [path for path in _walk(folder, left_out) if _matches(path.relative_to(folder).parts, wanted)]


def fixed_part(pattern: str) -> Path:
    """Return the folder in which a pattern begins."""
    return Path(*takewhile(lambda part: not has_magic(part), Path(pattern).parts))


def once(paths: Sequence[Path], left_out: LeftOut, *, repeats: bool = False) -> list[Path]:
    """Return the plain files among paths; unless `repeats`, without links to others among them."""
    taken: set[tuple[int, int]] = set()
    kept = []
    for path in sorted(paths, key=lambda path: path.is_symlink()):  # a file's own name before links to it
        try:
            found = path.stat()
        except OSError:
            left_out.broken.append(path)
            continue
        identity = found.st_dev, found.st_ino
        if not path.is_file():
            left_out.broken.append(path)
        # Hard links are files of their own.
        elif not repeats and identity in taken and (path.is_symlink() or found.st_nlink == 1):
            left_out.repeated.append(path)
        else:
            taken.add(identity)
            kept.append(path)
    return kept


def order(path: Path) -> tuple[list[list[str | int]], Path]:
    """Return the key that sorts paths: frame_10 comes after frame_9."""
    split = [[int(text) if at % 2 else text for at, text in enumerate(_NUMBER.split(part))] for part in path.parts]
    return split, path


def is_wanted(path: Path, suffixes: Iterable[str], left_out: LeftOut) -> bool:
    """Whether a name has one of the suffixes and is not hidden; a picture or video that is not wanted is counted."""
    suffix = path.suffix.lower()
    is_hidden = path.name.startswith(".")
    if suffix in suffixes:
        if is_hidden:
            left_out.hidden.append(path)
        return not is_hidden
    if suffix in UNREAD_SUFFIXES and not is_hidden:
        left_out.kinds[suffix] += 1
    return False


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path match those of a pattern; ** is any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        here = _matches(parts, pattern[1:])
        deeper = bool(parts) and not parts[0].startswith(".") and _matches(parts[1:], pattern)
        return here or deeper
    if not parts or (parts[0].startswith(".") and not pattern[0].startswith(".")):
        return False
    return fnmatch(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _walk(folder: Path, left_out: LeftOut) -> list[Path]:
    """Return all names below a folder but those of folders; real folders are entered before linked ones."""
    names: list[Path] = []
    entered: set[tuple[int, int]] = set()
    links = [folder]
    while links:
        within = [links.pop(0)]
        while within:
            place = within.pop()
            files, folders, linked = _entries(place, entered, left_out.closed.append)
            names += files
            within += folders
            links += linked
    return names


def _entries(
    folder: Path, entered: set[tuple[int, int]], on_closed: Callable[[Path], object]
) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the names in a folder: of files, of folders, of links to folders; none if it was entered before."""
    files: list[Path] = []
    folders: list[Path] = []
    links: list[Path] = []
    try:
        found = folder.stat()
        if (found.st_dev, found.st_ino) in entered:
            return files, folders, links
        entered.add((found.st_dev, found.st_ino))
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                names = files if not _leads_to_folder(entry) else links if entry.is_symlink() else folders
                names.append(folder / entry.name)
    except OSError:
        on_closed(folder)
    return files, folders, links


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _examples(paths: Sequence[Path]) -> str:
    more = ", ..." if len(paths) > _MOST_NAMED else ""
    return ", ".join(path.name for path in sorted(paths)[:_MOST_NAMED]) + more
