"""Small things: they stand on their surface, and are as small as things on a table."""

from __future__ import annotations

from functools import partial

import pytest
from drawn_objects import drawn, height_of, reach_of, things_of

from depthrt.finetune.scenes.draft import ROUND, THING
from depthrt.finetune.scenes.objects.things import SMALL, draw_cup, scatter

SUNK = 0.05  # metres that a thing may reach into its surface
KINDS = sorted(set(SMALL), key=lambda draw: draw.__name__)


@pytest.mark.parametrize("draw", KINDS, ids=lambda draw: draw.__name__)
def test_a_thing_is_small_stands_at_the_origin_and_is_a_single_instance(draw: object) -> None:
    assert callable(draw)
    for draft in drawn(draw):
        low, high = height_of(draft)
        assert -SUNK < low < 0.03
        assert 0.0005 < high < 0.8
        assert max(reach_of(draft)) < 0.5
        assert things_of(draft) == {1.0}


def test_a_cup_is_open_and_has_coffee_in_it() -> None:
    for draft in drawn(draw_cup):
        hollow = [row for row in draft.solids if row[0] == ROUND and row[THING - 1] == 1.0]
        assert len(hollow) == 1
        (cup,) = hollow
        top = cup[3] + cup[15]
        coffee = draft.solids[draft.solids.index(cup) + 1]
        assert cup[3] < coffee[3] + coffee[15] < top


@pytest.mark.parametrize("count", [1, 7])
def test_scattered_things_are_instances_within_their_surface(count: int) -> None:
    for draft in drawn(partial(scatter, w=1.0, deep=0.5, z=0.75, count=count)):
        assert things_of(draft) == {2.0 + k for k in range(count)}
        low, high = height_of(draft)
        assert low > 0.75 - SUNK and high < 0.75 + 0.8
        assert reach_of(draft)[0] < 0.5 + 0.5 and reach_of(draft)[1] < 0.25 + 0.5
