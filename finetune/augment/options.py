"""What an augmentation is asked to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import InputError
from .edit.kinds import KINDS, Kind

_EXAMPLE = "mirror,art,negative or mirror=2,art=5,negative=3"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an augmentation.

    Args:
        shares: Share of the samples of each kind, in the order of KINDS; they sum to 1.
        copies: Samples of each frame.
        seed: Of everything that is drawn.
        pictures: Folder of pictures for art; None takes other frames and painted pictures.
        study: Whether the depth of edits is that of study_edit.py, for comparison.
    """

    shares: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    copies: int = 1
    seed: int = 0
    pictures: Path | None = None
    study: bool = False

    def __post_init__(self) -> None:
        if len(self.shares) != len(KINDS) or min(self.shares) < 0 or not math.isclose(sum(self.shares), 1):
            raise InputError(f"shares {self.shares} found, expected one for each of {', '.join(KINDS)}, in sum 1")
        if self.copies < 1 or self.seed < 0:
            raise InputError(f"copies {self.copies}, seed {self.seed} found, expected 1 or more and 0 or more")


def read_kinds(text: str) -> tuple[float, ...]:
    """Return the share of each of KINDS from "mirror,art" (equal shares) or "mirror=2,art=5" (parts of their sum).

    Raises:
        InputError: A kind is unknown or named twice, or a share is no number above 0.
    """
    parts: dict[Kind, float] = {}
    for word in text.split(","):
        name, _, share = word.partition("=")
        kind = next((kind for kind in KINDS if kind == name.strip()), None)
        if kind is None or kind in parts:
            raise InputError(f"kinds {text!r}: {name.strip()!r} found, expected kinds such as {_EXAMPLE}, each once")
        try:
            parts[kind] = float(share) if share else 1.0
        except ValueError:
            parts[kind] = math.nan
        if not 0 < parts[kind] < math.inf:
            raise InputError(f"kinds {text!r}: share {share!r} of {kind} found, expected a number above 0")
    return shares_of(parts)


def shares_of(parts: Mapping[Kind, float]) -> tuple[float, ...]:
    """Return the share of each of KINDS from parts of a whole; kinds that are missing have none."""
    whole = sum(parts.values())
    return tuple(parts.get(kind, 0.0) / whole for kind in KINDS)
