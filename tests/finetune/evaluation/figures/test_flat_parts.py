"""Flatness inside planes: the truth has no error, a saddle has that of its formula, a wrong plane is seen as wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_rooms import MIRROR, RULES, SIZE_PX, WALL_M, room_inverse, room_sample, room_view
from numpy.typing import NDArray

from depthrt.bench.datasets.true_depth import TrueDepth
from depthrt.finetune.evaluation.figures.flat_parts import (
    flat_residual,
    off_plane,
    only_planes,
    plane_error,
    step_error,
)
from depthrt.finetune.evaluation.figures.scene_view import view_scene

FLOAT32 = 1e-6  # depth is stored in float32
ROUNDING = 1e-9
SADDLE = 2e-4  # of inverse depth for each px x px


def saddle() -> NDArray[np.float64]:
    """Return inverse depth of the frontal room whose mirror is a saddle."""
    rows, columns = np.mgrid[: SIZE_PX[0], : SIZE_PX[1]]
    inverse = room_inverse()
    inverse[MIRROR] += SADDLE * ((rows - 34.5) * (columns - 31.5))[MIRROR]
    return inverse


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_the_truth_has_no_residual_no_error_and_no_error_of_steps(tilt: float) -> None:
    view = room_view(tilt=tilt)
    for part in view.flat:
        assert flat_residual(view.inverse, view, part) == 0
        assert plane_error(view.inverse, view, part) == 0
        assert step_error(view.inverse, view, part) == 0


def test_a_saddle_has_the_residual_of_its_formula() -> None:
    view = room_view()
    mirror = view.flat[0]
    # Of n positions 1 px apart the variance is (n^2 - 1) / 12; the inner mirror is 28 x 38 px.
    expected = SADDLE * np.sqrt((28**2 - 1) / 12 * (38**2 - 1) / 12) * WALL_M
    assert flat_residual(saddle(), view, mirror) == pytest.approx(expected, rel=FLOAT32)
    assert plane_error(saddle(), view, mirror) == pytest.approx(expected, rel=1e-4)  # against float32 truth


def test_a_wrong_plane_has_no_residual_and_is_seen_in_the_other_figures() -> None:
    view = room_view()
    mirror = view.flat[0]
    nearer = room_inverse()
    nearer[MIRROR] += 0.1 / WALL_M
    assert flat_residual(nearer, view, mirror) == 0
    assert plane_error(nearer, view, mirror) == pytest.approx(0.1, rel=1e-4)
    assert step_error(nearer, view, mirror) == pytest.approx(0.1, rel=1e-4)
    tilted = room_inverse()
    tilted[MIRROR] += 0.01 * np.arange(40) / WALL_M
    assert flat_residual(tilted, view, mirror) == 0 < plane_error(tilted, view, mirror)


def test_one_depth_for_all_is_flat_and_nothing_else() -> None:
    view = room_view(tilt=0.3)
    constant = np.full(SIZE_PX, float(view.inverse[view.clean].mean()))
    for part in view.flat:
        assert flat_residual(constant, view, part) == 0 < plane_error(constant, view, part)


def test_no_answer_is_nearer_to_the_true_plane_than_to_its_best() -> None:
    view = room_view(tilt=0.3)
    noisy = view.inverse + np.random.default_rng(0).normal(0, 0.02, SIZE_PX)
    for part in view.flat:
        assert flat_residual(noisy, view, part) <= plane_error(noisy, view, part)


def test_a_smooth_edge_counts_as_no_step_within_the_margin() -> None:
    view = room_view()
    edge = room_inverse()
    edge[19:21, 12:52] += 0.1  # on both sides of the upper edge
    assert step_error(edge, view, view.flat[0]) == 0


def test_a_part_that_fills_the_image_has_no_steps() -> None:
    sample = room_sample()
    assert sample.regions is not None
    view = view_scene(replace(sample, regions=np.ones(SIZE_PX, np.uint8)), RULES)
    assert step_error(view.inverse, view, view.flat[0]) is None


def test_a_part_that_is_no_plane_in_truth_is_not_judged() -> None:
    sample = room_sample()
    bent = TrueDepth((1 / (room_inverse() + 5 * (saddle() - room_inverse()))).astype(np.float32), sample.truth.valid)
    kept, uneven = only_planes(view_scene(replace(sample, truth=bent), RULES))
    assert ([part.name for part in kept.flat], uneven) == (["art"], 1)
    assert only_planes(room_view(tilt=0.3))[1] == 0


def test_a_plane_in_space_is_affine_in_inverse_depth() -> None:
    rows, columns = np.mgrid[:40, :60]
    normal, focal_px = np.array([0.3, -0.2, 1.0]), 50.0
    rays = np.stack([(columns - 29.5) / focal_px, (rows - 19.5) / focal_px, np.ones(rows.shape)], -1)
    depth_m = 2.5 / (rays @ normal)
    everywhere = np.ones(rows.shape, np.bool_)
    assert np.abs(off_plane(1 / depth_m, everywhere)).max() < ROUNDING < np.abs(off_plane(depth_m, everywhere)).max()
