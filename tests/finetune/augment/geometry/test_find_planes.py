"""The planes of a room are found with their coefficients; round and noisy surfaces are judged as they are."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import WALLS, draw_room

from depthrt.finetune.augment.geometry.find_planes import find_planes
from depthrt.finetune.augment.geometry.plane import Box, Float64, Plane

EXACT = 2e-4  # of the inverse depth: some pixels in the corners of a room are nearly on two walls
CENTIMETRES = 2e-3  # of the inverse depth: depth rounded to 1 cm, at 1.3 to 6 m


def found_in(inverse: Float64, seed: int = 0) -> tuple[Plane, ...]:
    return find_planes(inverse, np.random.default_rng(seed)).planes


@pytest.mark.parametrize(("rounding_m", "tolerance"), [(0.0, EXACT), (0.01, CENTIMETRES)])
def test_the_walls_of_a_room_are_found(rounding_m: float, tolerance: float) -> None:
    room = draw_room(192, 256)
    depth = room.depth_m.astype(np.float64)
    exact = 1 / depth
    found = found_in(1 / (np.rint(depth / rounding_m) * rounding_m) if rounding_m else exact)
    for number in range(len(WALLS)):
        wall = room.wall == number
        difference = [np.abs(plane.inverse(Box(0, 192, 0, 256)) / exact - 1)[wall].max() for plane in found]
        assert min(difference) < tolerance, number
        share = sum(plane.share for plane, one in zip(found, difference, strict=True) if one < 2 * tolerance)
        assert share == pytest.approx(wall.mean(), abs=0.05), "in two parts, where the post divides it"
    assert max(plane.residual for plane in found) < tolerance


def test_planes_are_drawn_by_the_seed_only() -> None:
    inverse = 1 / draw_room(96, 128).depth_m.astype(np.float64)
    assert found_in(inverse, 3) == found_in(inverse, 3)


def test_a_ball_has_no_plane() -> None:
    v, u = np.mgrid[:96, :128]
    assert found_in(1 / (2 - np.sqrt(np.maximum(0, 1 - ((u - 64) / 80) ** 2 - ((v - 48) / 80) ** 2)))) == ()


@pytest.mark.parametrize("value", [np.nan, 0.0], ids=["unknown", "sky"])
def test_an_image_without_depth_has_no_plane(value: float) -> None:
    assert found_in(np.full((60, 80), value)) == ()


def test_unknown_pixels_and_sky_are_on_no_plane() -> None:
    inverse = np.full((96, 128), 0.2)
    inverse[:48], inverse[48:60] = 0, np.nan
    (plane,) = found_in(inverse)
    assert plane.share == pytest.approx(36 / 96, abs=0.03)
