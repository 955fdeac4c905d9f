"""Buildings, towers and fences: footprint, height and front."""

from __future__ import annotations

from functools import partial

import pytest
from drawn_objects import FLOOR, drawn, height_of, reach_of, things_of

from depthrt.finetune.scenes.objects.houses import draw_fence, draw_house, draw_tower


@pytest.mark.parametrize(("w", "deep", "high"), [(6.0, 7.0, 3.0), (20.0, 10.0, 20.0)])
def test_a_house_fills_its_footprint_and_rises_to_its_height(w: float, deep: float, high: float) -> None:
    for draft in drawn(partial(draw_house, w=w, deep=deep, high=high)):
        (low, top), (across, along) = height_of(draft), reach_of(draft)
        assert -FLOOR < low < FLOOR
        assert high <= top < 2 * high + deep
        assert w / 2 <= across < w / 2 + 1.2
        assert deep / 2 <= along < deep / 2 + 1.2
        assert things_of(draft) == {1.0}


def test_a_house_has_its_door_at_the_front() -> None:
    for draft in drawn(partial(draw_house, w=10.0, deep=8.0, high=6.0)):
        doors = [row for row in draft.solids if (round(2 * row[13], 3), round(2 * row[15], 3)) == (1.1, 2.1)]
        assert [row[2] for row in doors] == [-4.0]


@pytest.mark.parametrize("tall", [6.0, 40.0])
def test_a_tower_is_tall_and_slender(tall: float) -> None:
    for draft in drawn(partial(draw_tower, tall=tall)):
        low, high = height_of(draft)
        assert -FLOOR < low < FLOOR and 0.85 * tall < high < 1.1 * tall
        assert max(reach_of(draft)) < 0.6 * tall


def test_a_fence_stands_across_the_way() -> None:
    for draft in drawn(partial(draw_fence, y=9.0)):
        low, high = height_of(draft)
        assert low > -FLOOR and 0.8 < high < 1.7
        middle = sum(row[2] for row in draft.solids) / len(draft.solids)
        assert 8.9 < middle < 9.1 and reach_of(draft)[0] > 7
