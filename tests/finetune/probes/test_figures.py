"""Figures: the truth is best, a constant is worst, and each moves with what it measures."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.probes.figures import bump, change, nearness, ripple, step_kept, steps_kept, unexplained

EXACT = 1e-9
SIDE = 32
V, U = np.indices((SIDE, SIDE)).astype(np.float64)
PLANE = 0.2 + 0.004 * V + 0.002 * U
LEFT, MIDDLE, RIGHT = U < 8, (U >= 12) & (U < 20), U >= 24
STEPS = np.where(LEFT, 0.5, np.where(RIGHT, 0.1, 0.3))
FLAT = np.full_like(PLANE, 0.3)
ALL = np.ones(PLANE.shape, np.bool_)
HOLE = (abs(U - 16) < 5) & (abs(V - 16) < 5)
RING = ~HOLE & (abs(U - 16) < 9) & (abs(V - 16) < 9)


@pytest.mark.parametrize(("ratio", "expected"), [(1, 1), (0.5, 0.5), (2, 0.5), (0, 0), (-1, 0)])
def test_a_step_is_kept_by_the_smaller_of_its_ratio_and_the_inverse(ratio: float, expected: float) -> None:
    assert step_kept(ratio * STEPS + 3, STEPS, LEFT, RIGHT) == pytest.approx(expected, abs=EXACT)


def test_the_steps_of_several_regions_are_of_neighbours_in_depth() -> None:
    merged = np.where(STEPS > 0.2, 0.5, STEPS)  # the nearest two are one; the step to the third is doubled
    for regions in ([LEFT, MIDDLE, RIGHT], [RIGHT, LEFT, MIDDLE]):
        assert steps_kept(STEPS, STEPS, regions) == pytest.approx(1, abs=EXACT)
        assert steps_kept(merged, STEPS, regions) == pytest.approx((0 + 0.5) / 2, abs=EXACT)
        assert steps_kept(FLAT, STEPS, regions) == 0


def test_a_bump_grows_with_the_depth_of_a_hole_and_a_slanted_wall_has_none() -> None:
    found = [bump(PLANE - depth * HOLE, HOLE, RING) for depth in (0.0, 0.01, 0.05)]
    assert found[0] == pytest.approx(0, abs=EXACT) and found[0] < found[1] < found[2] < 1
    assert bump(FLAT, HOLE, RING) == 1
    assert found[1] == pytest.approx(bump(5 * (PLANE - 0.01 * HOLE) + 2, HOLE, RING), abs=EXACT)  # of any scale


def test_a_ripple_grows_with_the_pattern_and_a_smooth_floor_has_none() -> None:
    tiles = np.sign(np.sin(U) * np.sin(V))
    found = [ripple(PLANE + amount * tiles, PLANE, ALL) for amount in (0.0, 0.005, 0.02)]
    assert found[0] == pytest.approx(0, abs=EXACT) and found[0] < found[1] < found[2] < 1
    assert ripple(FLAT, PLANE, ALL) == ripple(-PLANE, PLANE, ALL) == 1


def test_what_is_unexplained_is_from_the_truth_to_the_best_constant() -> None:
    assert unexplained(STEPS, STEPS, ALL) == 0
    assert unexplained(np.full_like(STEPS, STEPS.mean()), STEPS, ALL) == pytest.approx(1, abs=EXACT)
    assert unexplained(STEPS + 9, STEPS, ALL) == 1
    assert 0.4 < unexplained((STEPS + STEPS.mean()) / 2, STEPS, ALL) < 0.6


def test_a_change_is_in_units_of_the_spread() -> None:
    assert change(STEPS, STEPS) == 0
    assert change(STEPS, STEPS + 0.04) == pytest.approx(0.04 / 0.4, abs=1e-6)
    assert change(FLAT, FLAT) == 1


def test_the_sky_is_as_near_as_its_nearest_tenth() -> None:
    sky = V < 10
    true = np.where(sky, 0, STEPS)
    land = true[~sky].mean()
    assert nearness(true, sky, ~sky, true) == 0
    assert nearness(np.full_like(true, land), sky, ~sky, true) == pytest.approx(1, abs=EXACT)
    cloud = sky & (U < 6)  # a fifth of the sky
    assert nearness(np.where(cloud, land / 2, true), sky, ~sky, true) == pytest.approx(0.5, abs=EXACT)
