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
from ...engine.images.kinds import IMAGE_SUFFIXES, JPEG_SUFFIXES

_COUNTS = frozenset({"mask", "masks", "valid", "validity"})
_UNCLEAR = frozenset(
    {
        "conf", "confidence", "error", "hole", "holes", "ignore", "invalid", "nocc", "occ", "occluded", "occlusion",
        "occlusions", "sky", "uncertainty",
    }
)  # fmt: skip
_FILLING = frozenset({"depth", "depths", "map", "maps", "gt"})
_SUFFIXES = frozenset({*READERS, *IMAGE_SUFFIXES, ".pgm", ".mat", ".h5", ".hdf5"}) - {*JPEG_SUFFIXES}
_LEVELS = 3  # folders above a depth file beside which a folder of masks is looked for
_DEPTH_ENDING = re.compile(r"[_.-]depth$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[_. -]")

_Index = dict[str, list[Path]]  # the files of a folder, by the name of what they are masks of


class Masks:
    """Finds the masks of depth files; each folder is listed once. Not thread-safe."""

    def __init__(self) -> None:
        self._beside: dict[Path, _Index] = {}
        self._inside: dict[Path, _Index] = {}
        self._folders: dict[Path, list[Path]] = {}

    def find(self, depth: Path, image: Path) -> Path | None:
        """Return the mask of a depth file, None if it has none.

        Raises:
            InputError: There are several, or what one means is unclear.
        """
        bare = bare_stem(depth.stem)
        found = [file for file in dict.fromkeys(self._candidates(depth, bare)) if file not in (depth, image)]
        for file in found:
            if (_words(file.stem.removeprefix(bare)) | _words(file.parent.name)) & _UNCLEAR:
                raise InputError(
                    f"{file} lies beside {depth.name}, and its name does not say which pixels count; "
                    f"name it {bare}_mask{file.suffix} with 0 where depth does not count, or move it away"
                )
        if len(found) > 1:
            raise InputError(f"{depth} has the masks {found[0]} and {found[1]}, expected one; move the others away")
        return found[0] if found else None

    def _candidates(self, depth: Path, bare: str) -> Iterator[Path]:
        for stem in dict.fromkeys((bare, depth.stem)):
            yield from self._list(depth.parent, self._beside).get(stem, ())
            for folder in depth.parents[:_LEVELS]:
                for beside in self._mask_folders(folder.parent):
                    if beside != folder:
                        inside = self._list(beside / depth.parent.relative_to(folder), self._inside)
                        yield from inside.get(stem, ())

    def _list(self, folder: Path, known: dict[Path, _Index]) -> _Index:
        """Return the masks of a folder; in a folder of masks every file is one."""
        if folder not in known:
            index: _Index = {}
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if file.suffix.lower() in _SUFFIXES:
                    own = (file.stem, bare_stem(file.stem)) if known is self._inside else ()
                    for stem in dict.fromkeys((*own, *masked_stems(file.stem))):
                        index.setdefault(stem, []).append(file)
            known[folder] = index
        return known[folder]

    def _mask_folders(self, folder: Path) -> list[Path]:
        """Return the folders of masks in a folder."""
        if folder not in self._folders:
            found = folder.iterdir() if folder.is_dir() else ()
            self._folders[folder] = sorted(child for child in found if _says_mask(child.name) and child.is_dir())
        return self._folders[folder]


def bare_stem(stem: str) -> str:
    """Return the name of a depth file without its depth ending."""
    return _DEPTH_ENDING.sub("", stem)


def masked_stems(stem: str) -> Iterator[str]:
    """Yield the names of the files that a file is a mask of, by its name: "a" and "a_depth" for "a_depth_mask"."""
    for cut in _SEPARATOR.finditer(stem):
        if cut.start() and _says_mask(stem[cut.end() :]):
            yield stem[: cut.start()]


def _says_mask(name: str) -> bool:
    """Whether a name has only words of masks and of depth, and one of masks at least."""
    parts = [_words(part) for part in _SEPARATOR.split(name)]
    words = set[str]().union(*parts)
    return all(parts) and bool(words & (_COUNTS | _UNCLEAR)) and words <= _COUNTS | _UNCLEAR | _FILLING


def _words(name: str) -> set[str]:
    return set(re.findall("[a-z]+", name.lower()))
