"""The gate keeps what stands on the floor between two heights, says so, and refuses depth without metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_depth import make_depth
from made_floor import CAMERA, HEIGHT_M, noisy, see
from refusal import refusal

from depthrt import Depth, InputError, NoFloor, ObstacleGate

GATE = ObstacleGate(0.05, 0.3, camera_height_m=HEIGHT_M)


def metric(values: np.ndarray) -> Depth:
    depth = make_depth(values, kind="metric")
    return replace(depth, provenance=replace(depth.provenance, camera=CAMERA))


def test_only_points_between_the_heights_are_kept() -> None:
    seen = see()
    depth = metric(seen.depth_m)
    found = GATE.apply(depth)
    sure = np.abs(seen.height_m - 0.05) > 1e-3
    expected = (seen.height_m > 0.05) & (seen.height_m < 0.3)
    sure &= np.abs(seen.height_m - 0.3) > 1e-3
    assert np.array_equal(found.valid[sure], expected[sure]) and expected.any()
    assert np.array_equal(found.values, depth.values), "the depth stays as it is"
    assert len(found.points()) == np.count_nonzero(found.valid)


def test_what_has_no_depth_is_no_obstacle() -> None:
    depth = metric(see().depth_m)
    depth.valid[:, :40] = False
    values = depth.values.copy()
    values[:, 150:] = np.inf
    found = GATE.apply(replace(depth, values=values))
    assert not found.valid[:, :40].any() and not found.valid[:, 150:].any() and found.valid.any()


def test_the_floor_of_another_image_serves_one_that_shows_none() -> None:
    first, second = metric(see().depth_m), metric(np.full_like(see().depth_m, 0.7))
    with pytest.raises(NoFloor, match="no floor found"):
        GATE.apply(second)
    floor = GATE.floor(first)
    found = GATE.apply(second, floor=floor)
    heights = floor.heights(second.values, CAMERA)
    assert np.array_equal(found.valid, (heights > 0.05) & (heights < 0.3))


def test_the_result_says_what_was_kept_and_where_the_floor_is() -> None:
    (note,) = GATE.apply(metric(see().depth_m)).provenance.notes
    assert note.startswith("only points 0.05 to 0.3 m over the floor are valid; the floor is 0.40 m under the camera")


def test_a_lower_height_inside_the_noise_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    depth = metric(noisy(see().depth_m, 0.1))
    gate = ObstacleGate(0.04, 1.0, camera_height_m=HEIGHT_M)
    for _ in range(2):
        (note,) = gate.apply(depth).provenance.notes
        assert "parts of the floor seem higher than 0.04 m, as the depth is noisy; raise the lower height" in note
    assert caplog.text.count("raise the lower height") == 1


def test_a_camera_is_given_or_known() -> None:
    depth = make_depth(see().depth_m, kind="metric")
    assert "Intrinsics.from_fov" in refusal(lambda: GATE.apply(depth))
    found = GATE.apply(depth, CAMERA)
    assert found.intrinsics == CAMERA and len(found.points()) > 0


@pytest.mark.parametrize("kind", ["inverse", "affine", "scale"])
def test_depth_without_metres_is_refused(kind: str) -> None:
    depth = make_depth(see().depth_m, kind=kind)  # type: ignore[arg-type]
    assert "has no metres; use a metric model" in refusal(lambda: GATE.apply(depth, CAMERA))


@pytest.mark.parametrize(
    ("low", "high", "height", "message"),
    [
        (0.5, 0.5, 1, "a gate from 0.5 to 0.5 m found, expected 0 <= low < high"),
        (-0.1, 0.5, 1, "a gate from -0.1 to 0.5 m found"),
        (0.1, float("inf"), 1, "a gate from 0.1 to inf m found"),
        (float("nan"), 1, 1, "a gate from nan to 1 m found"),
        (0.1, 1.0, 0, "a camera height of 0 m found, expected one above 0"),
        (0.1, 1.0, float("nan"), "a camera height of nan m found"),
    ],
)
def test_heights_that_are_none_are_refused(low: float, high: float, height: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ObstacleGate(low, high, camera_height_m=height)
