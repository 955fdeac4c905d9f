"""The settings by name, and the draft of a seed in a setting."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ....engine.errors import InputError
from ..draft import Draft, clear_view
from .apart import draft_apparent, draft_clouds, draft_distant, draft_lit, draft_split
from .closeups import draft_corner, draft_portrait, draft_tabletop
from .flat import draft_mirror, draft_painting, draft_tiles
from .probes import draft_cartoon, draft_equal, draft_occlusion, draft_parallel, draft_size, draft_sky
from .rooms import draft_room
from .streets import draft_meadow, draft_street, draft_yard
from .thin import draft_stem, draft_wheel

Kind = Callable[[Draft], None]
Kinds = tuple[tuple[Kind, float], ...]  # function that drafts a scene, weight in the draw

_INDOOR: Kinds = ((draft_room, 5), (draft_tabletop, 2), (draft_portrait, 1.5), (draft_corner, 1.5))
_OUTDOOR: Kinds = ((draft_street, 5), (draft_meadow, 3), (draft_yard, 2))
_PROBES: tuple[Kind, ...] = (
    *(draft_parallel, draft_size, draft_occlusion, draft_cartoon, draft_sky),
    *(draft_stem, draft_wheel, draft_mirror, draft_painting, draft_tiles),
    *(draft_distant, draft_clouds, draft_equal, draft_apparent, draft_split, draft_lit),
)
_OUTDOOR_SHARE = 0.35  # of "mixed"


def _name(kind: Kind) -> str:
    return kind.__name__.removeprefix("draft_")


PROBES: tuple[str, ...] = tuple(_name(probe) for probe in _PROBES)
SETTINGS: dict[str, Kinds] = {
    "indoor": _INDOOR,
    "outdoor": _OUTDOOR,
    "mixed": (
        *((kind, weight * (1 - _OUTDOOR_SHARE)) for kind, weight in _INDOOR),
        *((kind, weight * _OUTDOOR_SHARE) for kind, weight in _OUTDOOR),
    ),
    **{_name(probe): ((probe, 1.0),) for probe in _PROBES},
}


def check_setting(setting: str) -> None:
    """Raise InputError unless the setting exists."""
    if setting not in SETTINGS:
        raise InputError(f"setting {setting!r} found, expected one of {', '.join(SETTINGS)}")


def draft_scene(seed: int, setting: str) -> tuple[str, Draft]:
    """Return the name of the kind of scene, and the draft of a seed.

    Raises:
        InputError: The setting does not exist.
    """
    check_setting(setting)
    draft = Draft(Random(f"{setting} {seed}"))
    kinds, weights = zip(*SETTINGS[setting], strict=True)
    kind = draft.rng.choices(kinds, weights)[0]
    kind(draft)
    clear_view(draft)
    return _name(kind), draft
