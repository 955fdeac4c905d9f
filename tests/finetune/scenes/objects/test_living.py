"""People, animals and plants: they stand on the ground, in their size, as a single instance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from drawn_objects import FLOOR, drawn, height_of, reach_of, things_of

from depthrt.finetune.scenes.draft import LACE, Draft
from depthrt.finetune.scenes.objects.living import draw_animal, draw_bush, draw_person, draw_plant, draw_tree
from depthrt.finetune.scenes.textures.materials import Palette

ROOTS = 0.35  # share of a bush that may be in the ground


def test_a_person_stands_on_the_ground_and_is_about_as_tall_as_people() -> None:
    for draft in drawn(draw_person):
        low, high = height_of(draft)
        assert -0.1 < low < 0.05
        assert 1.6 < high < 2.3  # a raised arm is the highest
        assert max(reach_of(draft)) < 1.0
        assert things_of(draft) == {1.0}


def test_a_sitting_person_is_lower_and_has_the_legs_in_front() -> None:
    for draft in drawn(partial(draw_person, sitting=True)):
        assert height_of(draft)[1] < 1.9
        front = min(row[2] for row in draft.solids)
        assert front < -0.4


def test_a_face_has_eyes_only_in_detail() -> None:
    for plain, detailed in zip(drawn(partial(draw_person, detail=False)), drawn(draw_person), strict=True):
        assert len(detailed.solids) >= len(plain.solids) + 10


@pytest.mark.parametrize("length", [0.4, 0.9, 1.4])
def test_an_animal_is_as_long_as_asked_and_on_the_ground(length: float) -> None:
    for draft in drawn(partial(draw_animal, length=length)):
        low, high = height_of(draft)
        assert -0.1 * length < low < 0.2 * length
        assert 0.4 * length < high < 3.0 * length
        assert 0.6 * length < max(reach_of(draft)) < 2.0 * length
        assert things_of(draft) == {1.0}


@pytest.mark.parametrize("height", [3.0, 12.0])
def test_a_tree_is_about_as_high_as_asked_and_has_leaves_mostly(height: float) -> None:
    drafts = list(drawn(partial(draw_tree, height=height)))
    for draft in drafts:
        low, high = height_of(draft)
        assert -FLOOR < low < 0.1
        assert 0.5 * height < high < 1.6 * height
    leafy = [any(row[0] == LACE for row in draft.solids) for draft in drafts]
    assert 0.6 < sum(leafy) / len(leafy) < 1


@pytest.mark.parametrize(("draw", "least", "most"), [(draw_plant, 0.3, 1.3), (draw_bush, 0.3, 1.8)])
@pytest.mark.parametrize("height", [0.4, 1.5])
def test_plants_and_bushes_scale_with_their_height(
    draw: Callable[..., None], least: float, most: float, height: float
) -> None:
    def content(d: Draft, p: Palette) -> None:
        draw(d, p, height=height)

    for draft in drawn(content):
        low, high = height_of(draft)
        assert low > -ROOTS * height
        assert least * height < high < most * height
