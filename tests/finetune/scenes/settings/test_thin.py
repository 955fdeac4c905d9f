"""Thin and broken things: a black stem in front of a person, a wheel whose blades leave gaps."""

from __future__ import annotations

import math

import pytest
from seen_scenes import extent, rows_of

from depthrt.finetune.scenes.draft import THING
from depthrt.finetune.scenes.settings.compose import draft_scene
from depthrt.finetune.scenes.settings.stage import OTHER, REST, SUBJECT
from depthrt.finetune.scenes.textures.materials import FIELD_AT

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stem_is_thin_black_and_in_front_of_the_person(seed: int) -> None:
    _, draft = draft_scene(seed, "stem")
    person, stem = rows_of(draft, SUBJECT), rows_of(draft, OTHER)
    (low, high), (near, far) = extent(person), extent(stem)
    assert far[1] < low[1] - 0.05  # also of an arm that is held out
    assert near[2] < 0.01 and far[2] > 1.6
    assert max(row[13] for row in stem[1:]) < 0.02
    for row in stem:
        assert max(row[THING + 1 + FIELD_AT[name]] for name in ("r0", "g0", "b0")) < 0.02
    across = (near[0] + far[0]) / 2 / ((near[1] + far[1]) / 2 - draft.eye.position[1])
    seen = [x / (person[0][2] - draft.eye.position[1]) for x in (low[0], high[0])]
    assert seen[0] < across < seen[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_wheel_has_blades_in_one_plane_far_in_front_of_the_wall(seed: int) -> None:
    _, draft = draft_scene(seed, "wheel")
    blades = rows_of(draft, SUBJECT)
    assert len(blades) in (5, 6, 7)
    low, high = extent(blades)
    assert high[1] - low[1] < 0.3 and high[2] - low[2] > 0.7
    assert sum(row[13] * 2 for row in blades) < 0.6 * math.pi * blades[0][15] * 2  # at half of their reach
    assert max(extent(draft.solids)[1]) > high[1] + 3
    assert min(row[THING] for row in draft.solids if row[THING] > OTHER) > REST
