"""Lists of pairs, as training programs keep them: lines of an image, a depth and more, in; the files they name out.

A line is `IMAGE DEPTH`, `IMAGE DEPTH MASK` or `IMAGE DEPTH FOCAL`, with blanks or tabs between; `None` stands for no
depth. Sources: Depth Anything V2, metric_depth/dataset/splits; BTS (Lee et al. 2019), train_test_inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath

from ....engine.errors import InputError
from ....engine.system.files import open_file

LIST_SUFFIX = ".txt"
NO_DEPTH = "None"  # in place of a depth path. Source: KITTI's Eigen lists
_MOST_WORDS = 60  # of a line; a line of n words is split in n * n ways

_SHOWN = 200  # characters of a line that an error repeats

_Columns = tuple[str, str | None, str | None]  # image, depth, mask


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list.

    Args:
        image: Path of the image.
        depth: Path of its depth, None if the line says that it has none.
        mask: Path of its region mask, None without one.
    """

    image: Path
    depth: Path | None
    mask: Path | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the paths of a column lie.

    Args:
        root: Folder that they start from.
        left_out: Their first parts, which are left out.
    """

    root: Path
    left_out: tuple[str, ...] = ()

    def path(self, text: str) -> Path:
        """Return the path of a text of the column."""
        count = len(self.left_out)
        return self.root.joinpath(*PurePosixPath(text).parts[count:]) if count else self.root / text


def read_list(path: Path, roots: Sequence[Path] = ()) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    """Read a list and find its files.

    Relative paths start at the list's folder. If no path of a column exists, the column is looked for below the roots
    and the list's folder with as few of its first folders left out as possible; all its paths are then read there.

    Args:
        path: The list.
        roots: Folders of the data set.

    Returns:
        The lines, and notes on how they were read.

    Raises:
        InputError: It cannot be read, is empty, or a line is unclear.
    """
    finder = _Finder(path.parent, (*roots, path.parent))
    lines = [(number, line) for number, line in enumerate(_lines(path), 1) if line.strip()]
    if not lines:
        raise _no_list(path, "it is empty")
    columns = [_columns(line, finder) for _, line in lines]
    for (number, line), found in zip(lines, columns, strict=True):
        if isinstance(found, str):
            raise _no_list(path, f"line {number}, {line.strip()[:_SHOWN]!r}, {found}")
    parsed = [found for found in columns if not isinstance(found, str)]
    images, depths, masks = (finder.place_of([texts[column] for texts in parsed]) for column in range(3))
    listed = tuple(
        Listed(
            images.path(image),
            None if depth is None else depths.path(depth),
            None if mask is None else masks.path(mask),
        )
        for image, depth, mask in parsed
    )
    for (number, line), one in zip(lines, listed, strict=True):
        if one.image in (one.depth, one.mask):
            raise _no_list(path, f"line {number}, {line.strip()[:_SHOWN]!r}, names one file twice")
    places = {"images": images, "depth files": depths, "masks": masks}
    return listed, tuple(_notes(path, places, listed))


def _lines(path: Path) -> list[str]:
    with open_file(path, expected="a list of pairs") as file:
        return file.read().decode("utf-8-sig", "replace").splitlines()


def _no_list(path: Path, why: str) -> InputError:
    return InputError(f"{path} is not a list of pairs, expected an image and a depth path on each line: {why}")


def _notes(path: Path, places: Mapping[str, _Place], listed: Sequence[Listed]) -> Iterator[str]:
    moved = {name: place for name, place in places.items() if place.root != path.parent or place.left_out}
    for place in dict.fromkeys(moved.values()):
        names = " and ".join(name for name, other in moved.items() if other == place)
        instead = f" instead of {PurePosixPath(*place.left_out)}" if place.left_out else ""
        yield f"{names} of {path.name} are read below {place.root}{instead}"
    none = sum(one.depth is None for one in listed)
    if none:
        yield f"{none} of {len(listed)} lines of {path.name} say that the image has no depth"


def _columns(line: str, finder: _Finder) -> _Columns | str:
    """Return the columns of a line, or why they are unclear."""
    if "\t" in line:
        return _named(line.strip("\r\n").split("\t"))
    words = line.split()
    if len(words) == 2 or (len(words) == 3 and _is_plain(words)):
        return _named(words)
    if len(words) == 1:
        return "has one path"
    if len(words) > _MOST_WORDS:
        return f"has {len(words)} words"
    found = list(_existing(line.strip(" "), finder))
    if len(found) == 1:
        return found[0]
    return f"can be split in {len(found)} ways into files" if found else "has blanks, and no split of it names files"


def _named(words: Sequence[str]) -> _Columns | str:
    """Return the columns of a line that is split."""
    image, depth, *more = (word.strip() for word in words)
    if not image or not depth or len(more) > 1:
        return f"has {len(words)} columns"
    mask = more[0] if more and more[0] and more[0] != NO_DEPTH and not _is_number(more[0]) else None
    return image, None if depth == NO_DEPTH else depth, mask


def _is_plain(words: Sequence[str]) -> bool:
    """Whether each of three words is a column: two files and a file or a number."""
    return all(word == NO_DEPTH or _is_file_name(word) for word in words[:2]) and (
        words[2] == NO_DEPTH or _is_number(words[2]) or _is_file_name(words[2])
    )


def _existing(line: str, finder: _Finder) -> Iterator[_Columns]:
    """Yield the splits of a line into an image and a depth that exist, and a number or a mask that exists."""
    blanks = [at for at, sign in enumerate(line) if sign == " "]
    known: dict[str, bool] = {}

    def exists(text: str) -> bool:
        if text not in known:
            known[text] = bool(text) and text == text.strip() and finder.exists(text)
        return known[text]

    for at in blanks:
        image, depth = line[:at], line[at + 1 :].lstrip(" ")
        if exists(image) and (depth == NO_DEPTH or exists(depth)):
            yield image, None if depth == NO_DEPTH else depth, None
    for first, second in combinations(blanks, 2):
        image, depth, more = line[:first], line[first + 1 : second].strip(" "), line[second + 1 :].strip(" ")
        if exists(image) and (depth == NO_DEPTH or exists(depth)) and (_is_number(more) or exists(more)):
            yield image, None if depth == NO_DEPTH else depth, None if _is_number(more) else more


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_file_name(text: str) -> bool:
    return bool(PurePosixPath(text).suffix) and not _is_number(text)


class _Finder:
    """Finds the files of a list.

    Args:
        base: Folder that relative paths start from.
        roots: Folders below which paths are looked for with their first parts left out.
    """

    def __init__(self, base: Path, roots: Sequence[Path]) -> None:
        self._base, self._roots = base, tuple(dict.fromkeys(roots))

    def exists(self, text: str) -> bool:
        """Whether a path is that of a file, wherever it lies."""
        return _is_file(self._base / text) or self._below(text) is not None

    def place_of(self, texts: Sequence[str | None]) -> _Place:
        """Return where the paths of a column lie; the list's folder if none of them exists."""
        given = [text for text in texts if text is not None]
        if not any(_is_file(self._base / text) for text in given):
            for text in given:
                if (place := self._below(text)) is not None:
                    return place
        return _Place(self._base)

    def _below(self, text: str) -> _Place | None:
        """Return where a path lies below the roots, with as few of its first parts left out as possible."""
        parts = PurePosixPath(text).parts
        for dropped in range(len(parts)):
            for root in self._roots:
                if _is_file(root.joinpath(*parts[dropped:])):
                    return _Place(root, parts[:dropped])
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that is closed
        return False
