"""Metric depth becomes points in space, and goes back to its pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from made_depth import holed, surface
from refusal import refusal

from depthrt.engine.depth.intrinsics import Intrinsics

POINT_M = 1e-5  # float32 arithmetic on coordinates of a few metres
PIXEL_PX = 1e-3  # the same after projection with focal lengths of about 1000 px


CAMERA = Intrinsics(fx_px=1000.0, fy_px=900.0, cx_px=18.0, cy_px=11.5)


def test_points_project_back_to_their_pixels() -> None:
    depth = holed("metric")
    points = depth.points(CAMERA)
    assert points.shape == (np.count_nonzero(depth.valid), 3)
    assert points.dtype == np.float32
    rows, columns = np.nonzero(depth.valid)
    x, y, z = points.T.astype(float)
    assert np.allclose(x / z * 1000 + 18.0, columns, atol=PIXEL_PX)
    assert np.allclose(y / z * 900 + 11.5, rows, atol=PIXEL_PX)
    assert np.array_equal(points[:, 2], depth.values[depth.valid])


def test_a_point_right_of_and_below_the_axis_has_positive_x_and_y() -> None:
    depth = surface("metric", np.full((3, 3), 2.0, np.float32))
    points = depth.points(Intrinsics(1.0, 1.0, 1.0, 1.0)).reshape(3, 3, 3)
    assert np.allclose(points[2, 2], (2, 2, 2), atol=POINT_M)
    assert np.allclose(points[0, 1], (0, -2, 2), atol=POINT_M)
    assert np.allclose(points[1, 1], (0, 0, 2), atol=POINT_M)


def test_the_field_of_view_reaches_from_edge_to_edge() -> None:
    camera = Intrinsics.from_fov(90, 480, 640)
    assert camera.fx_px == pytest.approx(320)
    assert camera.fy_px == camera.fx_px
    assert (camera.cx_px, camera.cy_px) == (319.5, 239.5)
    left_edge = (-0.5 - camera.cx_px) / camera.fx_px  # pixel centres have integer coordinates
    assert np.degrees(np.arctan(-left_edge)) == pytest.approx(45)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surface("inverse").points(CAMERA), "depth-anything-v2-vits gives inverse depth"),
        (lambda: surface("metric").points(None), "intrinsics None found, expected Intrinsics"),  # type: ignore[arg-type]
        (lambda: Intrinsics(0.0, 1.0, 0.0, 0.0), "expected finite numbers and fx, fy > 0"),
        (lambda: Intrinsics(1.0, 1.0, float("nan"), 0.0), "expected finite numbers"),
        (lambda: Intrinsics.from_fov(180, 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(float("nan"), 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(60, 0, 4), "sides of 1 px or more"),
    ],
)
def test_points_without_metres_or_camera_are_refused(call: Callable[[], object], message: str) -> None:
    assert message in refusal(call)


def test_metres_of_inverse_depth_are_refused_with_the_reason() -> None:
    assert "scale and shift are unknown" in refusal(lambda: surface("inverse").metres)
    metric = surface("metric")
    assert metric.metres is metric.values
