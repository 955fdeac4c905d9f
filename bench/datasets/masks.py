"""Masks beside depth files: which pixels count, found by their names.

A file of the depth's name and one of _COUNTS, beside it or in a folder of such a name, holds 0 where depth does not
count (DIODE's a_depth_mask.npy). A name that says something else (invalid, confidence) is refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...engine.depth.read import READERS
from ...engine.errors import InputError
from ...engine.images.kinds import IMAGE_SUFFIXES

_COUNTS = frozenset({"mask", "masks", "valid", "validity"})
_UNCLEAR = frozenset(
    {
        "conf", "confidence", "error", "hole", "holes", "ignore", "invalid", "nocc", "occ", "occluded", "occlusion",
        "occlusions", "sky", "uncertainty",
    }
)  # fmt: skip
_FILLING = frozenset({"depth", "depths", "map", "maps", "gt"})
_SUFFIXES = frozenset({*READERS, *IMAGE_SUFFIXES, ".pgm", ".mat", ".h5", ".hdf5"})
_LEVELS = 3  # folders above a depth file beside which a folder of masks is looked for
_DEPTH_ENDING = re.compile(r"[_.-]depth$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[_. -]")

_Named = tuple[Path, frozenset[str]]  # a file, and the words that make it a mask
_Index = dict[str, list[_Named]]  # the masks in a folder, by the name of what they are masks of


class Masks:
    """Finds the masks of depth files; each folder is listed once. Threads may share it.

    Args:
        root: Folder of the data set; folders of masks are looked for in it, and next to the folder of a depth file.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries: dict[Path, list[Path]] = {}
        self._beside: dict[Path, _Index] = {}
        self._inside: dict[Path, _Index] = {}
        self._folders: dict[Path, list[Path]] = {}

    def find(self, depth: Path, image: Path) -> Path | None:
        """Return the mask of a depth file, None if it has none.

        Raises:
            InputError: There are several, or what one means is unclear.
        """
        found = {file: words for file, words in self._candidates(depth, image) if file not in (depth, image)}
        for file, words in found.items():
            if words & _UNCLEAR:
                raise InputError(
                    f"{file} belongs to {depth.name}, and its name does not say which pixels count; name it "
                    f"{bare_stem(depth.stem)}_mask{file.suffix} with 0 where depth does not count, or move it away"
                )
        if len(found) > 1:
            first, second, *_ = found
            raise InputError(f"{depth} has the masks {first} and {second}, expected one; move the others away")
        return next(iter(found), None)

    def _candidates(self, depth: Path, image: Path) -> Iterator[_Named]:
        stems = dict.fromkeys((bare_stem(depth.stem), depth.stem, image.stem))
        for folder in dict.fromkeys((depth.parent, image.parent)):
            for stem in stems:
                yield from self._list(folder, self._beside).get(stem, ())
        for level, folder in enumerate((depth, *depth.parents[:_LEVELS])):
            if level > 1 and not folder.parent.is_relative_to(self._root):
                break
            for beside in self._mask_folders(folder.parent):
                if beside in (depth.parent, image.parent, folder):
                    continue
                below = depth.parent.relative_to(folder) if level else Path()
                index = self._list(beside / below, self._inside)
                said = frozenset(_words(beside.name))
                yield from ((file, words | said) for stem in stems for file, words in index.get(stem, ()))

    def _list(self, folder: Path, known: dict[Path, _Index]) -> _Index:
        """Return the masks of a folder; in a folder of masks every file is one."""
        if folder not in known:
            index: _Index = {}
            for file in self._in(folder):
                if file.suffix.lower() in _SUFFIXES:
                    own = (file.stem, bare_stem(file.stem)) if known is self._inside else ()
                    names = {stem: frozenset[str]() for stem in own} | masked_stems(file.stem)
                    for stem, words in names.items():
                        index.setdefault(stem, []).append((file, words))
            known[folder] = index
        return known[folder]

    def _mask_folders(self, folder: Path) -> list[Path]:
        """Return the folders of masks in a folder."""
        if folder not in self._folders:
            children = self._in(folder)
            self._folders[folder] = [child for child in children if _says_mask(child.name) and child.is_dir()]
        return self._folders[folder]

    def _in(self, folder: Path) -> list[Path]:
        """Return what a folder holds, in order."""
        if folder not in self._entries:
            self._entries[folder] = sorted(folder.iterdir()) if folder.is_dir() else []
        return self._entries[folder]


def bare_stem(stem: str) -> str:
    """Return the name of a depth file without its depth ending."""
    return _DEPTH_ENDING.sub("", stem)


def masked_stems(stem: str) -> dict[str, frozenset[str]]:
    """Return the names of the files that a file is a mask of, by its name, each with the words that say so.

    "a_depth_mask" is a mask of "a_depth" and of "a", and so is "mask_a" of "a".
    """
    found = {}
    for cut in _SEPARATOR.finditer(stem):
        before, after = stem[: cut.start()], stem[cut.end() :]
        for name, rest in ((before, after), (after, before)):
            if name and _says_mask(rest):
                found[name] = frozenset(_words(rest))
    return found


def _says_mask(name: str) -> bool:
    """Whether a name has only words of masks and of depth, and one of masks at least."""
    parts = [_words(part) for part in _SEPARATOR.split(name)]
    words = set[str]().union(*parts)
    return all(parts) and bool(words & (_COUNTS | _UNCLEAR)) and words <= _COUNTS | _UNCLEAR | _FILLING


def _words(name: str) -> set[str]:
    return set(re.findall("[a-z]+", name.lower()))
