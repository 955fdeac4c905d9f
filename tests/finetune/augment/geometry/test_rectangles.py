"""Rectangles of planes have right angles, their aspect and their area, and are never seen from behind."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import WALLS, draw_room

from depthrt.finetune.augment.geometry.plane import Float64, through
from depthrt.finetune.augment.geometry.rectangles import (
    incidence,
    is_level,
    is_upright,
    project,
    rectangle,
    turned_plane,
)

CAMERA = draw_room(96, 128).camera
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
CENTRES = {0: (70.0, 40.0), 1: (64.0, 90.0), 2: (60.0, 4.0), 3: (4.0, 50.0), 4: (124.0, 50.0)}
ROUNDING = 1e-6


def corners_m(homography: Float64, wall: int) -> Float64:
    """Corners in space, by the plane's depth at their pixels."""
    pixels = project(homography, SQUARE)
    plane = through(np.array(WALLS[wall]), CAMERA)
    rays = np.column_stack([pixels, np.ones(4)]) @ np.linalg.inv(CAMERA).T
    return np.asarray(rays / np.array([plane.at(*pixel) for pixel in pixels])[:, None])


@pytest.mark.parametrize("wall", CENTRES)
@pytest.mark.parametrize("roll_rad", [0.0, 0.7, -2.5])
def test_a_rectangle_is_one_in_space(wall: int, roll_rad: float) -> None:
    plane = through(np.array(WALLS[wall]), CAMERA)
    found = rectangle(plane, CAMERA, CENTRES[wall], area_px=120, aspect=1.6, roll_rad=roll_rad)
    assert found is not None
    first, second, third, fourth = corners_m(found, wall)
    across, down = second - first, fourth - first
    assert across @ down == pytest.approx(0, abs=ROUNDING)
    assert third == pytest.approx(first + across + down, abs=ROUNDING)
    assert np.linalg.norm(across) / np.linalg.norm(down) == pytest.approx(1.6)
    _, right, _, below = project(found, SQUARE) - project(found, SQUARE)[0]
    assert right[0] * below[1] - right[1] * below[0] > 0, "mirrored"


def test_area_is_that_of_the_image_where_perspective_is_small() -> None:
    plane = turned_plane(CAMERA, (64, 48), 0.4, 0.1)
    found = rectangle(plane, CAMERA, (64, 48), area_px=25, aspect=1, roll_rad=0)
    assert found is not None
    (u0, v0), (u1, v1), (u2, v2), (u3, v3) = project(found, SQUARE)
    assert abs((u2 - u0) * (v3 - v1) - (u3 - u1) * (v2 - v0)) / 2 == pytest.approx(25, rel=0.05)


def test_a_picture_on_a_wall_stands_upright() -> None:
    found = rectangle(through(np.array(WALLS[0]), CAMERA), CAMERA, (70, 40), area_px=200, aspect=1, roll_rad=0)
    assert found is not None
    top, bottom = project(found, np.array([[0.5, 0.0], [0.5, 1.0]]))
    assert top[1] < bottom[1]


def test_a_rectangle_that_reaches_behind_the_camera_is_refused() -> None:
    floor = through(np.array(WALLS[1]), CAMERA)
    assert rectangle(floor, CAMERA, (64, 90), area_px=50_000, aspect=0.2, roll_rad=0) is None
    assert rectangle(floor, CAMERA, (64, 10), area_px=50, aspect=1, roll_rad=0) is None, "above the horizon"


def test_floors_and_ceilings_are_level() -> None:
    level = [is_level(through(np.array(wall), CAMERA), CAMERA) for wall in WALLS]
    assert level == [False, True, True, False, False]
    upright = [is_upright(through(np.array(wall), CAMERA), CAMERA) for wall in WALLS]
    assert upright == [True, False, False, True, True]


def test_a_turned_plane_has_its_angle_to_the_ray() -> None:
    for yaw, pitch in ((0.0, 0.0), (0.5, 0.0), (-0.3, 0.2)):
        plane = turned_plane(CAMERA, (30, 60), yaw, pitch)
        wanted = np.cos(yaw) * np.cos(pitch)
        norm = np.sqrt(wanted**2 + np.sin(yaw) ** 2 + np.sin(pitch) ** 2)
        assert incidence(plane, CAMERA, (30, 60)) == pytest.approx(wanted / norm)
