"""Outdoor scenes: ground under everything, a camera above it, and subjects ahead of it."""

from __future__ import annotations

import math
from random import Random

import pytest
from seen_scenes import extent

from depthrt.finetune.scenes.draft import THING, Draft
from depthrt.finetune.scenes.settings.compose import Kind
from depthrt.finetune.scenes.settings.streets import draft_meadow, draft_street, draft_yard

KINDS: list[Kind] = [draft_street, draft_meadow, draft_yard]
SEEDS = range(15)
STACKED = 0.95  # metres; two boxes of a stack under the third, each an instance
SUNK = 2.0  # metres that an object may reach into the ground; hills, of one solid, reach deeper


def drafted(kind: Kind, seed: int) -> Draft:
    draft = Draft(Random(seed))
    kind(draft)
    return draft


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_ground_is_everywhere_and_the_camera_is_above_it(kind: Kind, seed: int) -> None:
    draft = drafted(kind, seed)
    low, high = extent(draft.solids[:1])
    assert low[0] <= -300 and high[0] >= 300 and high[1] >= 300 and high[2] == 0
    assert draft.solids[0][THING] == 0
    assert 0.2 < draft.eye.position[2] < 9 and len(draft.lights) == 2
    assert math.radians(30) < draft.eye.fov_rad < math.radians(105)
    assert draft.air.corner is None and not draft.windows


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_on_the_ground(kind: Kind, seed: int) -> None:
    draft = drafted(kind, seed)
    for thing in {row[THING] for row in draft.solids} - {0}:
        rows = [row for row in draft.solids if row[THING] == thing]
        low, _ = extent(rows)
        assert low[2] < STACKED
        if len(rows) > 1:
            assert low[2] > -SUNK


def test_a_street_has_houses_or_trees_on_both_sides() -> None:
    for seed in SEEDS:
        tall = [row for row in drafted(draft_street, seed).solids if row[15] > 1 and row[THING] > 0]
        assert any(row[1] < -2 for row in tall) and any(row[1] > 2 for row in tall)


def test_a_yard_has_its_subject_in_the_middle_of_the_image() -> None:
    for seed in SEEDS:
        draft = drafted(draft_yard, seed)
        x, y, _ = draft.eye.position
        forward = (-math.sin(draft.eye.yaw_rad), math.cos(draft.eye.yaw_rad))
        near = [row for row in draft.solids if row[THING] > 0 and math.dist(row[1:3], (x, y)) < 250]
        aside_m = [abs((row[1] - x) * forward[1] - (row[2] - y) * forward[0]) for row in near]
        assert min(aside_m) < 2
