"""The recipe of a folder of augmented frames: everything that decides what they are, so that two are never mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from ...engine.errors import InputError
from ...engine.system.field_types import Range, Sha256, Share
from ...engine.system.files import atomic_path, make_folder, remove_unfinished
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record, to_json_object

RECIPE_NAME = "augment.json"
_REMEDY = "choose another folder"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides the files of a folder.

    Args:
        source: Hash of the names of the data set's pairs, in order.
        pictures: Hash of the names of the pictures; None without a folder of them.
        shares, copies, seed, study: As in Options; `copies` may grow.
    """

    source: Sha256
    pictures: Sha256 | None
    shares: tuple[Share, Share, Share]
    copies: Annotated[int, Range(1)]
    seed: Annotated[int, Range(0)]
    study: bool

    FORMAT: ClassVar[int] = 1  # raised if the same seed makes other files


def hash_of(names: Iterable[str]) -> str:
    """Return the hash of names in their order."""
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()


def keep_recipe(directory: Path, recipe: Recipe) -> None:
    """Create a folder with its recipe, or check that the files in it have the same.

    Raises:
        InputError: The folder holds files of another recipe, or something else, or cannot be used.
    """
    make_folder(directory)
    note = directory / RECIPE_NAME
    if note.is_file():
        _check_same(directory, _read(note), recipe)
    elif any(not path.name.startswith(".") for path in directory.iterdir()):
        raise InputError(f"{directory} is not empty and has no {RECIPE_NAME}; {_REMEDY}, or empty this one")
    remove_unfinished(note)
    with atomic_path(note) as unfinished:
        unfinished.write_text(json.dumps(to_json_object(recipe)), encoding="utf-8")


def _read(note: Path) -> Recipe:
    found = parse_object(note.read_bytes(), name=str(note), remedy=_REMEDY, failure=InputError)
    return read_record(Recipe, found, name=str(note), remedy=_REMEDY, failure=InputError)


def _check_same(directory: Path, found: Recipe, wanted: Recipe) -> None:
    told = {"source": "the data set's pairs", "pictures": "the pictures"}
    for name, value in asdict(wanted).items():
        before = getattr(found, name)
        if name == "copies" and before <= value:
            continue
        if before != value:
            what = told.get(name) or f"{name} {before}, {value} was asked for"
            other = " of other" if name in told else " with"
            raise InputError(f"{directory} holds frames made{other} {what.removeprefix('the ')}; {_REMEDY}")
