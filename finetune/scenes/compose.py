"""Which scene a seed is: a setting by name, or one of many."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ...engine.errors import InputError
from .closeups import draft_corner, draft_portrait, draft_tabletop
from .draft import Draft
from .rooms import draft_room
from .streets import draft_meadow, draft_street, draft_yard

_Kinds = tuple[tuple[Callable[[Draft], None], float], ...]  # how to draft, weight in the draw

_INDOOR: _Kinds = ((draft_room, 5), (draft_tabletop, 2), (draft_portrait, 1.5), (draft_corner, 1.5))
_OUTDOOR: _Kinds = ((draft_street, 5), (draft_meadow, 3), (draft_yard, 2))
SETTINGS: dict[str, _Kinds] = {
    "indoor": _INDOOR,
    "outdoor": _OUTDOOR,
    "mixed": (*((kind, weight * 0.65) for kind, weight in _INDOOR), *((kind, weight * 0.35) for kind, weight in _OUTDOOR)),
}


def draft_scene(seed: int, setting: str) -> tuple[str, Draft]:
    """Return the kind of scene and the draft of a seed.

    Raises:
        InputError: There is no such setting.
    """
    if setting not in SETTINGS:
        raise InputError(f"setting {setting!r} found, expected one of {', '.join(SETTINGS)}")
    draft = Draft(Random(f"{setting} {seed}"))
    kinds, weights = zip(*SETTINGS[setting], strict=True)
    kind = draft.rng.choices(kinds, weights)[0]
    kind(draft)
    return kind.__name__.removeprefix("draft_"), draft
