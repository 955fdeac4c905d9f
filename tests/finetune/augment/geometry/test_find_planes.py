"""The planes of a room are found with their coefficients; round and noisy surfaces are judged as they are."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import WALLS, draw_room

from depthrt.finetune.augment.geometry.find_planes import find_planes
from depthrt.finetune.augment.geometry.plane import Float64, Plane, through

EXACT = 1e-5  # of the inverse depth: float32 depth, fitted to thousands of pixels
CENTIMETRES = 2e-3  # of the inverse depth: depth rounded to 1 cm, at 1.5 to 6 m


def found_in(inverse: Float64, seed: int = 0) -> tuple[Plane, ...]:
    return find_planes(inverse, np.random.default_rng(seed)).planes


def difference(plane: Plane, wanted: Plane, size_px: tuple[int, int]) -> float:
    """Largest difference of two planes at the corners of an image, relative."""
    corners = [(0, 0), (size_px[1], 0), (0, size_px[0]), (size_px[1], size_px[0])]
    middle = wanted.at(size_px[1] / 2, size_px[0] / 2)
    return max(abs(plane.at(*corner) - wanted.at(*corner)) for corner in corners) / abs(middle or 1)


@pytest.mark.parametrize(("size_px", "rounding", "tolerance"), [((192, 256), 0.0, EXACT), ((384, 512), 0.01, 0.02)])
def test_the_walls_of_a_room_are_found(size_px: tuple[int, int], rounding: float, tolerance: float) -> None:
    room = draw_room(*size_px)
    depth = room.depth_m.astype(np.float64)
    if rounding:
        depth = np.rint(depth / rounding) * rounding
    found = found_in(1 / depth)
    assert len(found) >= 5
    for number, wall in enumerate(WALLS):
        share = float((room.wall == number).mean())
        wanted = through(np.array(wall), room.camera)
        best = min(found, key=lambda plane, wanted=wanted: difference(plane, wanted, size_px))  # type: ignore[misc]
        assert difference(best, wanted, size_px) < max(tolerance, EXACT) / min(1, share * 10), wall
        assert best.share == pytest.approx(share, abs=0.05)
        assert best.residual < (CENTIMETRES if rounding else EXACT)


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
