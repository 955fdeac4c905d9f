"""A straightened image shows every point where a pinhole camera sees it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from made_camera_info import EYE, camera_info, region
from numpy.typing import NDArray
from refusal import refusal

from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.depth.rectify import Rectification

POINTS = [(-0.3, -0.25, 1.0), (0.25, -0.2, 1.0), (0.0, 0.0, 1.0), (-0.2, 0.3, 1.0), (0.35, 0.2, 1.0)]
DOT_PX = 2.0  # standard deviation of a dot
PLACE_PX = 0.1  # of the middle of a dot after interpolation
LENSES = {
    "plumb_bob": [-0.3, 0.1, 0.001, -0.002, 0.0],
    "rational_polynomial": [0.2, -0.1, 0.001, 0.001, 0.02, 0.3, -0.05, 0.01],
    "equidistant": [0.05, -0.02, 0.01, -0.003],
}


def seen_by(model: str, numbers: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the pixels of POINTS, (N, 2) column and row, through a lens, as OpenCV projects them."""
    fx, fy, cx, cy = numbers
    matrix, bend = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), np.array(LENSES[model])
    points, still = np.array(POINTS)[:, None], np.zeros((3, 1))
    project = cv2.fisheye.projectPoints if model == "equidistant" else None
    if project is not None:
        return np.asarray(project(points, still, still, matrix, bend)[0], float)[:, 0]
    return np.asarray(cv2.projectPoints(points, still, still, matrix, bend)[0], float)[:, 0]


def dots_at(places: NDArray[np.float64], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image with a soft dot at each place."""
    rows, columns = np.mgrid[: size_px[0], : size_px[1]]
    image = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * DOT_PX**2)) for x, y in places)
    return np.repeat((255 * np.clip(image, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def middle_near(image: NDArray[np.uint8], x: float, y: float) -> tuple[float, float]:
    """Return the centre of gravity around a place."""
    left, top = round(x) - 8, round(y) - 8
    part = image[top : top + 17, left : left + 17, 0].astype(float)
    rows, columns = np.mgrid[:17, :17]
    return left + float((part * columns).sum() / part.sum()), top + float((part * rows).sum() / part.sum())


@pytest.mark.parametrize("model", LENSES)
@pytest.mark.parametrize("changes", [{}, {"binning_x": 2, "binning_y": 2, "roi": region(40, 60, 400, 560)}])
def test_a_dot_goes_where_a_pinhole_camera_sees_its_point(model: str, changes: dict[str, Any]) -> None:
    message = camera_info(distortion_model=model, d=LENSES[model], **changes)
    found = Rectification(message)
    raw = Intrinsics.from_camera_info(camera_info(**changes))
    dots = dots_at(seen_by(model, (raw.fx_px, raw.fy_px, raw.cx_px, raw.cy_px)), found.inside.shape)
    straight = found.apply(dots)
    assert found.camera == Intrinsics.from_camera_info(camera_info(**changes), rectified=True)
    for x, y, z in POINTS:
        place = x / z * found.camera.fx_px + found.camera.cx_px, y / z * found.camera.fy_px + found.camera.cy_px
        assert middle_near(straight, *place) == pytest.approx(place, abs=PLACE_PX)


def test_a_lens_without_distortion_leaves_its_images_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    for lens in (camera_info(p=[0.0] * 12), camera_info(p=[0.0] * 12, d=[], r=[0.0] * 9)):
        found = Rectification(lens)
        assert np.array_equal(found.apply(image), image) and found.inside.all()


def test_pixels_that_the_lens_did_not_see_are_named() -> None:
    wide = camera_info(p=[200.0, 0.0, 320.0, 0.0, 0.0, 200.0, 240.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    found = Rectification(wide)
    white = np.full((480, 640, 3), 255, np.uint8)
    assert not found.inside[0, 0] and found.inside[240, 320]
    assert np.array_equal(found.apply(white)[..., 0] > 0, found.inside)


def test_what_cannot_be_straightened_is_refused() -> None:
    odd = camera_info(distortion_model="mirror ball", d=[1.0])
    assert "distortion_model is 'mirror ball', expected one of plumb_bob" in refusal(lambda: Rectification(odd))
    found = Rectification(camera_info(r=EYE))
    assert "an image of 4x6 px (HxW) found, expected 480x640" in refusal(
        lambda: found.apply(np.zeros((4, 6, 3), np.uint8))
    )
