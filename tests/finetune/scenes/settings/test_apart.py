"""Things apart: houses in rows, clouds, copies of one apparent size, a split thing, a room to be relit."""

from __future__ import annotations

import itertools
import math

import pytest
from seen_scenes import extent, rows_of

from depthrt.finetune.scenes.settings.apart import LAYERS
from depthrt.finetune.scenes.settings.compose import draft_scene
from depthrt.finetune.scenes.settings.stage import OTHER, SUBJECT

SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_houses_stand_at_growing_distances_side_by_side(seed: int) -> None:
    _, draft = draft_scene(seed, "distant")
    fronts, slots = [], []
    for thing in range(SUBJECT, SUBJECT + LAYERS):
        house = rows_of(draft, thing)
        fronts.append(extent(house)[0][1])
        slots.append(house[0][1] / house[0][2])
    assert 6 < fronts[0] < 12 and 45 < fronts[-1] < 70
    assert all(second > 1.4 * first for first, second in itertools.pairwise(fronts))
    slots.sort()
    assert all(second - first > 0.15 for first, second in itertools.pairwise(slots))


@pytest.mark.parametrize("seed", SEEDS)
def test_clouds_cover_a_part_of_the_sky_above_a_low_horizon(seed: int) -> None:
    _, draft = draft_scene(seed, "clouds")
    assert 0.3 < draft.air.clouds < 0.6
    assert 0.1 < draft.eye.pitch_rad < 0.35 < draft.eye.fov_rad / 2 * 0.75 + 0.1  # the horizon is in the image


@pytest.mark.parametrize("seed", SEEDS)
def test_a_small_near_and_a_large_far_copy_have_one_apparent_size(seed: int) -> None:
    _, draft = draft_scene(seed, "apparent")
    (near,), (far,) = rows_of(draft, SUBJECT), rows_of(draft, OTHER)
    eye = draft.eye.position
    seen = [row[15] / (row[2] - eye[1]) for row in (near, far)]
    assert seen[0] == pytest.approx(seen[1], rel=1e-9) and far[2] - eye[1] > 1.8 * (near[2] - eye[1])
    assert near[0] == far[0] and near[21:] == far[21:]  # one form, one material
    assert near[1] * far[1] < 0
    assert all(row[3] - row[15] == pytest.approx(0, abs=1e-9) for row in (near, far))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pillar_from_floor_to_ceiling_splits_the_thing(seed: int) -> None:
    _, draft = draft_scene(seed, "split")
    ((x0, y0, _), (x1, _, high)), ((left, _, low), (right, behind, top)) = (
        extent(rows_of(draft, thing)) for thing in (SUBJECT, OTHER)
    )
    assert low == pytest.approx(0, abs=1e-9) and top > high and behind < y0
    near, far = (y - draft.eye.position[1] for y in (behind, y0))
    assert x0 / far < left / near < right / near < x1 / far


def test_the_same_room_is_drawn_for_both_lights() -> None:
    (_, first), (_, second) = draft_scene(3, "lit"), draft_scene(3, "lit")
    assert first.solids == second.solids
    assert math.hypot(*first.lights[0].position[:2]) > 0
