"""What a folder of scenes was rendered from, kept in it, so that it is never mixed with other scenes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...engine.errors import InputError
from ...engine.system.files import atomic_path
from ..scenes.scene import VERSION

RECIPE_NAME = "scenes.json"

Recipe = Mapping[str, Any]


def keep_recipe(
    directory: str | Path,
    recipe: Recipe,
    *,
    growing: str | None = None,
    is_there: Callable[[Path, int], bool] = lambda root, index: True,
) -> Path:
    """Create a folder, or check that what it holds was made from the same recipe by the same version of the scenes.

    Args:
        directory: Created where missing.
        recipe: All that decides what is rendered; values as JSON has them.
        growing: Name of a number that may have been smaller: a larger one is a continuation.
        is_there: Whether the folder holds what has a number; a smaller `growing` is refused where any would be left.

    Returns:
        The folder, absolute.

    Raises:
        InputError: It holds other scenes or something else, or cannot be used.
    """
    root = resolve_folder(directory)
    note, wanted = root / RECIPE_NAME, {**recipe, "version": VERSION}
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Asked before the recipe, which one that begins at the same moment may be writing.
        occupied = any(not path.name.startswith(".") for path in root.iterdir())
        found = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None
    except (OSError, ValueError) as error:
        raise InputError(f"{directory} cannot be used ({error}); choose another folder") from error
    if found is None and occupied:
        raise InputError(
            f"{directory} is not empty and has no {RECIPE_NAME} that says what depthrt rendered there; choose another "
            "folder, or empty this one to render again"
        )
    kept = {growing: recipe[growing]} if growing else {}
    if found is not None and (not isinstance(found, dict) or {**found, **kept} != wanted):
        raise InputError(f"{directory} holds scenes of {found}, {wanted} was asked for; choose another folder")
    if found is not None and growing and any(is_there(root, at) for at in range(wanted[growing], found[growing])):
        more, fewer = found[growing], wanted[growing]
        raise InputError(f"{directory} holds {more} scenes, {fewer} were asked for; ask for as many")
    with atomic_path(note) as unfinished:
        unfinished.write_text(json.dumps(wanted), encoding="utf-8")
    return root


def resolve_folder(directory: str | Path) -> Path:
    """Return the absolute path of a folder, which need not be there.

    Raises:
        InputError: Its links lead in a circle.
    """
    try:
        return Path(directory).resolve()
    except (OSError, RuntimeError) as error:  # the latter before Python 3.13
        raise InputError(f"{directory} cannot be used ({error}); choose another folder") from error
