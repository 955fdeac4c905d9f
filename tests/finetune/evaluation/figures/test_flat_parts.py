"""Flatness inside planes: the truth has no error, a saddle has that of its formula, a wrong plane is seen as wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from judged_rooms import MIRROR, RULES, SIZE_PX, WALL_M, room_inverse, room_sample, room_view
from numpy.typing import NDArray

from depthrt.bench.datasets.regions import join_regions
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.finetune.evaluation.figures.flat_parts import (
    flat_residual,
    off_plane,
    only_planes,
    plane_error,
    step_error,
)
from depthrt.finetune.evaluation.figures.scene_view import view_scene
from depthrt.finetune.scenes.render import render_scenes

FLOAT32 = 1e-6  # depth is stored in float32
ROUNDING = 1e-9
BENT = 0.01  # of depth: far above rounding
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


def test_rendered_mirrors_and_pictures_are_planes_and_no_longer_if_they_are_bent_towards_the_nearest_depth() -> None:
    scenes = render_scenes(range(16), height_px=SIZE_PX[0], width_px=SIZE_PX[1], setting="indoor")
    judged = bent = 0
    for index in range(len(scenes)):
        masks = {name: getattr(scenes, name)[index].numpy() for name in ("mirror", "art", "window", "sky")}
        truth = TrueDepth(scenes.depth_m[index].numpy(), scenes.valid[index].numpy())
        view = view_scene(Sample("a", np.zeros((*SIZE_PX, 3), np.uint8), truth, join_regions(masks)), RULES)
        kept, uneven = only_planes(view)
        assert uneven == 0
        for part in kept.flat:
            assert (flat_residual(view.inverse, view, part), step_error(view.inverse, view, part) or 0.0) == (0.0, 0.0)
            rows, columns = np.nonzero(part.inner)
            pull = (rows - rows.mean()) * (columns - columns.mean())
            edited = view.inverse.copy()
            edited[part.inner] += 0.2 * edited.max() * pull / np.abs(pull).max()
            judged, bent = judged + 1, bent + (flat_residual(edited, view, part) > BENT)
    assert judged >= 4 and bent == judged


def test_a_picture_behind_a_picture_is_judged_by_its_own_plane() -> None:
    sample = room_sample()
    behind, hiding = np.s_[20:60, 60:100], np.s_[45:66, 80:126]
    inverse = np.full(SIZE_PX, 1 / WALL_M) * np.linspace(0.95, 1.05, SIZE_PX[1])
    inverse[hiding] = 1 / 2.7
    art = np.zeros(SIZE_PX, np.bool_)
    art[behind] = art[hiding] = True
    truth = TrueDepth((1 / inverse).astype(np.float32), np.ones(SIZE_PX, np.bool_))
    view = view_scene(replace(sample, truth=truth, regions=join_regions({"art": art})), RULES)
    assert len(view.flat) == 1
    kept, uneven = only_planes(view)
    assert ([part.box[:2] for part in kept.flat], uneven) == ([(20, 60), (46, 81)], 0)
    assert [flat_residual(kept.inverse, kept, part) for part in kept.flat] == [0.0, 0.0]
    assert kept.flat[0].inner[25, 90] and not kept.flat[0].inner[50, 90]
