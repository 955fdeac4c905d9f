"""Furniture: it stands on the floor within its footprint."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from drawn_objects import drawn, height_of, reach_of

from depthrt.finetune.scenes.draft import Draft
from depthrt.finetune.scenes.objects.furniture import FURNITURE, Furnish
from depthrt.finetune.scenes.textures.materials import Palette

SUNK = 0.15  # metres that a shoe or a paw may reach into the floor
BEYOND = 0.75  # metres that people, animals and things on a piece may reach beyond it
IDS = [row[0].__name__ for row in FURNITURE]


def piece(draw: Furnish, w: float, deep: float) -> Callable[[Draft, Palette], None]:
    return lambda d, p: draw(d, p, w, deep)


@pytest.mark.parametrize(("draw", "w0", "w1", "d0", "d1", "walled", "weight"), FURNITURE, ids=IDS)
def test_a_piece_stands_on_the_floor_within_its_footprint(
    draw: Furnish, w0: float, w1: float, d0: float, d1: float, walled: bool, weight: float
) -> None:
    assert 0 < w0 <= w1 and 0 < d0 <= d1 and weight > 0
    for w, deep in ((w0, d0), (w1, d1)):
        for draft in drawn(piece(draw, w, deep), draws=12):
            (low, high), (across, along) = height_of(draft), reach_of(draft)
            assert -SUNK < low < 0.12
            assert 0.1 < high < 3.5
            assert across < w / 2 + BEYOND and along < max(deep, 1.9) / 2 + BEYOND


@pytest.mark.parametrize("draw", [row[0] for row in FURNITURE if row[5]], ids=lambda draw: draw.__name__)
def test_a_piece_for_a_wall_does_not_reach_through_it(draw: Furnish) -> None:
    for draft in drawn(piece(draw, 1.0, 0.6), draws=12):
        solid_back = max(row[2] + row[14] for row in draft.solids[:3])  # the body, before people and things on it
        assert solid_back <= max(0.6, 1.9) / 2 + 0.05
