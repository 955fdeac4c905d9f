"""The table of families: a file's tensors, a family's name or a config's model_type leads to its row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...engine.terms import Family
from .depth_anything import DepthAnythingRules
from .depth_anything3 import DepthAnything3Rules
from .depthrt import DepthrtRules
from .marigold import MarigoldRules
from .midas import MidasRules
from .rules import FamilyRules
from .zoedepth import ZoeDepthRules

# The first row that owns any of a network's tensors has it, so a family stands before those whose names it contains.
TABLE: tuple[FamilyRules[Any], ...] = (
    MarigoldRules(),
    ZoeDepthRules(),
    MidasRules(),
    DepthrtRules(),
    DepthAnything3Rules(),
    DepthAnythingRules(),
)

EXPORTED = f"this version exports {', '.join(rules.title for rules in reversed(TABLE))}"


def rules_of(family: Family) -> FamilyRules[Any]:
    """Return the row of a family."""
    return next(rules for rules in TABLE if family in rules.families)


def rules_of_tensors(names: Iterable[str]) -> FamilyRules[Any] | None:
    """Return the row of the family that has tensors with these names; None if no family has."""
    names = list(names)
    return next((rules for rules in TABLE if rules.owns(names)), None)


def rules_of_model_type(model_type: str) -> FamilyRules[Any] | None:
    """Return the row that reads a config.json of a model_type; None if no family does."""
    return next((rules for rules in TABLE if model_type in rules.model_types), None)
