"""The recipe of a folder of scenes: everything that decides what was rendered, so that scenes are never mixed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, Field, asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from ...engine.errors import InputError
from ...engine.system.files import atomic_path
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record
from ..scenes.scene import VERSION

RECIPE_NAME = "scenes.json"
_REMEDY = "choose another folder"


class Recipe(Protocol):
    """A dataclass of everything that decides what is rendered; a field with a default of None is optional."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def layout(self) -> str:
        """Name of the class of recipes."""
        ...


R = TypeVar("R", bound=Recipe)


def keep_recipe(
    directory: str | Path,
    recipe: Recipe,
    *,
    growing: str | None = None,
    is_there: Callable[[Path, int], bool] = lambda root, index: True,
) -> Path:
    """Create a folder with its recipe, or check that it has the same recipe and the same version of the scenes.

    Args:
        directory: Created if missing.
        recipe: The recipe.
        growing: Name of a field that may have been smaller before: the folder is then extended.
        is_there: Whether the scene of a number exists; a smaller `growing` is refused if it would leave any out.

    Returns:
        The folder, absolute.

    Raises:
        InputError: The folder holds other scenes or something else, or cannot be used.
    """
    root = resolve_folder(directory)
    note = root / RECIPE_NAME
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Checked before the recipe, which another process may be writing at this moment.
        occupied = any(not path.name.startswith(".") for path in root.iterdir())
        text = note.read_bytes() if note.is_file() else None
    except OSError as error:
        raise InputError(f"{directory} cannot be used ({error}); {_REMEDY}") from error
    if text is not None:
        found = _read(note, text, recipe, directory)
        _check_same(directory, found, recipe, growing)
        if growing is not None:
            _check_grown(root, directory, getattr(found, growing), getattr(recipe, growing), is_there)
    elif occupied:
        raise InputError(
            f"{directory} is not empty and has no {RECIPE_NAME}, which names the scenes that depthrt rendered; choose "
            "another folder, or empty this one to render again"
        )
    written = {name: value for name, value in asdict(recipe).items() if value is not None}
    with atomic_path(note) as unfinished:
        unfinished.write_text(json.dumps({**written, "version": VERSION}), encoding="utf-8")
    return root


def resolve_folder(directory: str | Path) -> Path:
    """Return the absolute path of a folder, which may be missing.

    Raises:
        InputError: Its links form a loop.
    """
    try:
        return Path(directory).resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError before Python 3.13
        raise InputError(f"{directory} cannot be used ({error}); {_REMEDY}") from error


def _read(note: Path, text: bytes, wanted: R, directory: str | Path) -> R:
    """Return the recipe of a folder, which must have the layout and version of the wanted one."""
    found = parse_object(text, name=str(note), remedy=_REMEDY, failure=InputError)
    for name, value in (("version", VERSION), ("layout", wanted.layout)):
        if found.get(name) != value:
            raise _other_scenes(directory, name, found.get(name), value)
    optional = {field.name: None for field in fields(wanted) if field.default is not MISSING}
    values = {**optional, **{name: value for name, value in found.items() if name != "version"}}
    return read_record(type(wanted), values, name=str(note), remedy=_REMEDY, failure=InputError)


def _check_same(directory: str | Path, found: Recipe, wanted: Recipe, growing: str | None) -> None:
    for name, value in asdict(wanted).items():
        if name != growing and getattr(found, name) != value:
            raise _other_scenes(directory, name, getattr(found, name), value)


def _check_grown(
    root: Path, directory: str | Path, before: int, now: int, is_there: Callable[[Path, int], bool]
) -> None:
    if any(is_there(root, index) for index in range(now, before)):
        raise InputError(f"{directory} holds {before} scenes, {now} were asked for; ask for as many")


def _other_scenes(directory: str | Path, name: str, found: object, wanted: object) -> InputError:
    return InputError(f"{directory} holds scenes of {name} {found!r:.40}, {wanted!r:.40} was asked for; {_REMEDY}")
