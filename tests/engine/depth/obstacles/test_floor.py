"""The floor is found under its camera whatever the camera's tilt, the noise and the scale of the depth, or refused."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from made_floor import CAMERA, HEIGHT_M, SIZE_PX, noisy, see
from refusal import refusal

from depthrt import Intrinsics, NoFloor
from depthrt.engine.depth.obstacles.floor import Floor, fit_floor


def angle_deg(floor: Floor, pitch_deg: float, roll_deg: float = 0.0) -> float:
    pitch, roll = math.radians(pitch_deg), math.radians(roll_deg)
    expected = [-math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch), math.sin(pitch)]
    return math.degrees(math.acos(min(1.0, float(np.dot(floor.normal, expected)))))


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(0, 0), (10, 0), (35, 0), (-8, 0), (12, 9), (5, -15)])
def test_an_exact_floor_is_found_exactly(pitch_deg: float, roll_deg: float) -> None:
    seen = see(pitch_deg=pitch_deg, roll_deg=roll_deg)
    floor = fit_floor(seen.depth_m, CAMERA, HEIGHT_M)
    assert angle_deg(floor, pitch_deg, roll_deg) < 0.01 and abs(floor.distance_m - HEIGHT_M) < 1e-4
    heights = floor.heights(seen.depth_m, CAMERA)
    assert np.abs(heights - seen.height_m).max() < 1e-3 and floor.spread_m < 1e-3
    assert abs(floor.share - seen.floor.mean()) < 0.05


def test_noise_moves_the_floor_little_and_its_spread_is_that_of_the_noise() -> None:
    seen = see()
    floor = fit_floor(noisy(seen.depth_m), CAMERA, HEIGHT_M)
    assert angle_deg(floor, 10) < 0.6 and abs(floor.distance_m / HEIGHT_M - 1) < 0.03
    assert abs(floor.spread_m / (0.05 * HEIGHT_M) - 1) < 0.2
    assert np.abs(floor.heights(seen.depth_m, CAMERA)[seen.floor]).max() < 0.03


@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_heights_are_true_in_depth_of_another_scale(scale: float) -> None:
    seen = see()
    floor = fit_floor(seen.depth_m * np.float32(scale), CAMERA, HEIGHT_M)
    assert abs(floor.distance_m - scale * HEIGHT_M) < 1e-4
    assert np.abs(floor.heights(seen.depth_m * np.float32(scale), CAMERA) - seen.height_m).max() < 2e-3


def test_a_depth_has_one_floor_and_holes_do_not_matter() -> None:
    depth_m = noisy(see().depth_m)
    depth_m[::3] = np.nan
    depth_m[1::5] = np.inf
    depth_m[2::7] = 0
    assert fit_floor(depth_m, CAMERA, HEIGHT_M) == fit_floor(depth_m.copy(), CAMERA, HEIGHT_M)


def test_a_table_in_view_is_not_taken_for_the_floor() -> None:
    seen = see(height_m=1.0, pitch_deg=30, wall_m=6)
    table = see(height_m=0.85, pitch_deg=30, wall_m=6)  # nearer than the floor, over most of the picture
    depth_m = seen.depth_m.copy()
    depth_m[:, :100] = table.depth_m[:, :100]
    floor = fit_floor(depth_m, CAMERA, 1.0)
    assert abs(floor.distance_m - 1.0) < 1e-3


def test_another_height_is_refused_and_the_found_one_named() -> None:
    reason = refusal(lambda: fit_floor(see().depth_m, CAMERA, 1.0))
    assert "the best plane in view is 0.40 m under the camera, pitch 10" in reason
    assert (
        "expected 5% of the points on a plane 0.75 to 1.25 m under the camera, for the camera height of 1 m" in reason
    )


@pytest.mark.parametrize(
    ("depth_m", "found"),
    [
        (np.full(SIZE_PX, 2, np.float32), "no floor found: no level plane in view"),
        (np.full(SIZE_PX, np.nan, np.float32), "0 points with depth found, expected 100 or more"),
        (see().depth_m[:30], "no floor found"),
        (np.random.default_rng(0).uniform(0.5, 9, SIZE_PX).astype(np.float32), "no floor found"),
    ],
    ids=["wall", "nothing", "upper part", "noise"],
)
def test_without_a_floor_in_view_there_is_none(depth_m: np.ndarray, found: str) -> None:
    camera = CAMERA.cropped(0, 0, *depth_m.shape)
    assert found in refusal(lambda: fit_floor(depth_m, camera, HEIGHT_M))


def test_the_place_of_a_floor_is_said_in_words() -> None:
    place = fit_floor(see().depth_m, CAMERA, HEIGHT_M).place
    assert re.fullmatch(r"0\.40 m under the camera, pitch 10\.0 and roll 0\.0 degrees, with \d\d% of the points", place)


@pytest.mark.parametrize("seed", range(12))
def test_depth_of_any_kind_has_a_floor_or_a_reason(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = (int(side) for side in random.integers(2, 150, 2))
    made = (
        np.full((height, width), random.uniform(1e-6, 1e6)),
        np.exp(random.normal(0, 8, (height, width))),
        np.broadcast_to(np.linspace(5, 0.3, height)[:, None], (height, width)),
        np.broadcast_to(np.linspace(0.1, 9, width), (height, width)),
    )
    for depth_m in made:
        camera = Intrinsics.from_fov(float(random.uniform(20, 150)), height, width)
        try:
            place = fit_floor(depth_m.astype(np.float32), camera, float(random.uniform(0.05, 3))).place
        except NoFloor as error:
            place = str(error)
        assert "floor" in place or "under the camera" in place
