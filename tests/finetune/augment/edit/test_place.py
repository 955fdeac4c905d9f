"""Places on planes lie on them, and floating ones in front of what they cover."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import draw_room

from depthrt.finetune.augment.edit.canvas import Canvas
from depthrt.finetune.augment.edit.coverage import covered
from depthrt.finetune.augment.edit.place import UNIT_SQUARE, floating, on_plane
from depthrt.finetune.augment.geometry.find_planes import Planes, find_planes
from depthrt.finetune.augment.geometry.plane import Box
from depthrt.finetune.augment.geometry.rectangles import is_level, project

SIZE_PX = (96, 128)
BOX = Box(0, 96, 0, 128)
LEAST_ON, MOST_BEYOND = 0.6, 0.08  # of the pixels; places are chosen on every other pixel


@pytest.fixture
def canvas() -> Canvas:
    room = draw_room(*SIZE_PX)
    return Canvas(room.image, 1 / room.depth_m.astype(np.float64), np.zeros(SIZE_PX, np.uint8), room.camera)


@pytest.fixture
def planes(canvas: Canvas) -> Planes:
    return find_planes(canvas.inverse, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("walls", [False, True])
def test_a_place_on_a_plane_lies_on_it(canvas: Canvas, planes: Planes, seed: int, walls: bool) -> None:
    place = on_plane(canvas, planes, np.random.default_rng(seed), area=0.05, aspect=1.3, walls=walls)
    assert place is not None and place.of_scene
    inside = covered(project(place.homography, UNIT_SQUARE), SIZE_PX)
    ratio = (canvas.inverse / place.plane.inverse(BOX))[inside]
    assert np.mean(np.abs(ratio - 1) < planes.tolerance) > LEAST_ON
    assert np.mean(ratio < 1 - planes.tolerance) < MOST_BEYOND
    assert not (walls and is_level(place.plane, canvas.camera))


@pytest.mark.parametrize("seed", range(6))
def test_a_floating_place_is_in_front_of_most_that_it_covers(canvas: Canvas, seed: int) -> None:
    place = floating(canvas, np.random.default_rng(seed), step=1, area=0.1, aspect=1.3)
    assert place is not None and not place.of_scene
    inside = covered(project(place.homography, UNIT_SQUARE), SIZE_PX)
    assert np.mean((canvas.inverse < place.plane.inverse(BOX))[inside]) > 0.8


def test_nothing_has_a_place_where_there_is_no_depth(canvas: Canvas) -> None:
    canvas.inverse[:] = np.nan
    rng = np.random.default_rng(0)
    assert on_plane(canvas, find_planes(canvas.inverse, rng), rng, area=0.1, aspect=1) is None
    assert floating(canvas, rng, step=1, area=0.1, aspect=1) is None
