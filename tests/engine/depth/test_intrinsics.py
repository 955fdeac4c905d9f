"""A camera keeps its rays when its images are resized or cut, and says whose images it is for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from made_camera_info import camera_info
from made_depth import holed, surface
from refusal import refusal

from depthrt.engine.depth import intrinsics
from depthrt.engine.depth.intrinsics import Intrinsics

POINT_M = 1e-5  # float32 arithmetic on coordinates of a few metres
PIXEL_PX = 1e-3  # the same after projection with focal lengths of about 1000 px


CAMERA = Intrinsics(fx_px=1000.0, fy_px=900.0, cx_px=18.0, cy_px=11.5)
SIZED = Intrinsics(500.0, 510.0, 300.5, 250.25, (480, 640))


def ray(camera: Intrinsics, row: float, column: float) -> tuple[float, float]:
    """Return the direction of a pixel: x and y at a depth of 1."""
    return (column - camera.cx_px) / camera.fx_px, (row - camera.cy_px) / camera.fy_px


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
    assert (camera.cx_px, camera.cy_px, camera.size_px) == (319.5, 239.5, (480, 640))
    left_edge = (-0.5 - camera.cx_px) / camera.fx_px  # pixel centres have integer coordinates
    assert np.degrees(np.arctan(-left_edge)) == pytest.approx(45)
    assert Intrinsics.centred(320, 480, 640).fx_px == 320


@pytest.mark.parametrize("size_px", [(240, 320), (960, 1280), (1080, 1920), (7, 5)])
def test_every_ray_through_an_edge_is_kept_by_a_resize(size_px: tuple[int, int]) -> None:
    scaled = SIZED.scaled(*size_px)
    assert scaled.size_px == size_px
    for row, column in ((0.0, 0.0), (1.0, 1.0), (0.25, 0.5)):  # shares of the picture, from edge to edge
        before = ray(SIZED, row * 480 - 0.5, column * 640 - 0.5)
        assert ray(scaled, row * size_px[0] - 0.5, column * size_px[1] - 0.5) == pytest.approx(before)
    back = scaled.scaled(480, 640)
    numbers = (back.fx_px, back.fy_px, back.cx_px, back.cy_px)
    assert numbers == pytest.approx((SIZED.fx_px, SIZED.fy_px, SIZED.cx_px, SIZED.cy_px))


def test_the_field_of_view_does_not_depend_on_the_size() -> None:
    scaled, direct = Intrinsics.from_fov(60, 480, 640).scaled(120, 160), Intrinsics.from_fov(60, 120, 160)
    assert (scaled.fx_px, scaled.cx_px, scaled.cy_px) == pytest.approx((direct.fx_px, direct.cx_px, direct.cy_px))


def test_a_part_of_an_image_has_the_rays_of_its_pixels() -> None:
    part = SIZED.cropped(100, 30, 200, 300)
    assert part.size_px == (200, 300)
    assert ray(part, 7, 11) == ray(SIZED, 107, 41)
    assert CAMERA.cropped(1, 2, 3, 4).cx_px == 16.0, "without a size every part is inside"
    twice = SIZED.cropped(20, 10, 400, 600).cropped(80, 20, 200, 300)
    assert (twice.cx_px, twice.cy_px, twice.size_px) == (part.cx_px, part.cy_px, part.size_px)


def test_a_camera_fits_images_of_its_aspect_and_refuses_others() -> None:
    assert SIZED.for_image((480, 640)) is SIZED
    assert CAMERA.for_image((24, 37)) == Intrinsics(1000.0, 900.0, 18.0, 11.5, (24, 37))
    assert SIZED.for_image((240, 320)) == SIZED.scaled(240, 320)
    full = Intrinsics.from_fov(60, 1080, 1920)
    assert full.for_image((607, 1080)).size_px == (607, 1080), "a side was rounded"
    assert refusal(lambda: SIZED.for_image((480, 480))) == (
        "a camera of 480x640 px (HxW) found for 480x480 px, whose aspect differs; give the camera of these images, see "
        "Intrinsics.cropped and Intrinsics.scaled"
    )


def test_a_camera_info_becomes_the_camera_of_its_images(caplog: pytest.LogCaptureFixture) -> None:
    intrinsics._warn_of_distortion.cache_clear()
    camera = Intrinsics.from_camera_info(camera_info())
    assert camera == Intrinsics(500.0, 505.0, 321.0, 241.0, (480, 640))
    assert Intrinsics.from_camera_info(camera_info(), rectified=True) == Intrinsics(450, 455, 319, 239, (480, 640))
    assert not caplog.records
    for _ in range(2):
        Intrinsics.from_camera_info(camera_info(d=[0.1, 0, 0, 0, 0]))
    (record,) = caplog.records
    assert "the camera's lens distorts (plumb_bob), and its raw images are taken for" in record.getMessage()
    Intrinsics.from_camera_info(camera_info(d=[0.1, 0, 0, 0, 0]), rectified=True)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surface("inverse").points(CAMERA), "depth-anything-v2-vits gives inverse depth"),
        (lambda: surface("metric").points(None), "intrinsics None found, expected Intrinsics"),
        (lambda: surface("metric").points(SIZED), "a camera of 480x640 px (HxW) found for 24x37 px"),
        (lambda: Intrinsics(0.0, 1.0, 0.0, 0.0), "expected finite numbers and fx, fy > 0"),
        (lambda: Intrinsics(1.0, 1.0, float("nan"), 0.0), "expected finite numbers"),
        (lambda: Intrinsics(1.0, 1.0, 0.0, 0.0, (0, 4)), "images of 0x4 px (HxW) found, expected sides of 1 or more"),
        (lambda: Intrinsics.from_fov(180, 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(float("nan"), 4, 4), "expected 0 < angle < 180"),
        (lambda: Intrinsics.from_fov(60, 0, 4), "sides of 1 px or more"),
        (lambda: CAMERA.scaled(240, 320), "intrinsics that know no size of their own; give them size_px=(H, W)"),
        (lambda: SIZED.cropped(300, 0, 200, 640), "expected one inside images of 480x640 px (HxW)"),
        (lambda: SIZED.cropped(-1, 0, 200, 640), "a part of 200x640 px from row -1, column 0 found"),
        (lambda: CAMERA.cropped(0, 0, 0, 4), "expected one inside images (HxW)"),
    ],
)
def test_points_without_metres_or_camera_are_refused(call: Callable[[], object], message: str) -> None:
    assert message in refusal(call)


def test_metres_of_inverse_depth_are_refused_with_the_reason() -> None:
    assert "scale and shift are unknown" in refusal(lambda: surface("inverse").metres)
    metric = surface("metric")
    assert metric.metres is metric.values
