"""The CameraInfo of an image: its K and P see the same points as the sensor's, at the image's own size."""

from __future__ import annotations

import numpy as np
import pytest
from made_bags import HEIGHT, WIDTH, camera_message, header, resized_info
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.robots.messages.camera import info_of_image, intrinsics_of, is_distorted
from depthrt.robots.messages.types import CameraInfo, RegionOfInterest

POINT = np.array([0.3, -0.2, 2.0])  # metres
HEADER = header(0)


def seen_at(info: CameraInfo) -> NDArray[np.float64]:
    """Return the pixel (column, row) at which a camera shows the point, by K; P must agree."""
    by_k = info.k.reshape(3, 3) @ POINT
    by_p = info.p.reshape(3, 4) @ np.append(POINT, 1)
    assert np.allclose(by_k, by_p)
    return np.asarray(by_k[:2] / by_k[2])


def test_an_image_of_the_sensors_size_keeps_its_camera_and_has_its_own_header() -> None:
    info = camera_message()
    found = info_of_image(info, (HEIGHT, WIDTH), header(5))
    assert np.array_equal(found.k, info.k) and np.array_equal(found.p, info.p) and found.header == header(5)


@pytest.mark.parametrize("scale", [2, 0.5])
def test_a_resized_image_shows_a_point_at_the_scaled_place(scale: float) -> None:
    info = camera_message()
    size_px = round(HEIGHT * scale), round(WIDTH * scale)
    found = info_of_image(info, size_px, HEADER)
    assert np.allclose(seen_at(found), scale * (seen_at(info) + 0.5) - 0.5)  # pixel centres are whole numbers
    assert (found.height, found.width) == size_px
    ours = Intrinsics.from_camera_info(info).scaled(*size_px)
    assert found.k.tolist() == [ours.fx_px, 0, ours.cx_px, 0, ours.fy_px, ours.cy_px, 0, 0, 1]


def test_a_region_of_interest_moves_the_axis() -> None:
    info = resized_info(camera_message(), roi=RegionOfInterest(10, 6, 24, 32, False))
    found = info_of_image(info, (24, 32), HEADER)
    assert np.allclose(seen_at(found), seen_at(camera_message()) - (10, 6))
    assert found.roi.width == 0 and (found.height, found.width) == (24, 32)


def test_binning_counts_with_and_without_a_region() -> None:
    info = resized_info(camera_message(), binning_x=2, binning_y=2)
    binned = info_of_image(info, (HEIGHT // 2, WIDTH // 2), HEADER)
    assert np.allclose(seen_at(binned), seen_at(camera_message()) / 2) and (binned.binning_x, binned.binning_y) == (
        0,
        0,
    )
    region = resized_info(info, roi=RegionOfInterest(10, 6, 24, 32, False))
    assert np.allclose(seen_at(info_of_image(region, (12, 16), HEADER)), (seen_at(camera_message()) - (10, 6)) / 2)


def test_a_stereo_cameras_baseline_is_scaled_too() -> None:
    p = camera_message().p.copy()
    p[3] = -12.5
    assert info_of_image(resized_info(camera_message(), p=p), (HEIGHT * 2, WIDTH * 2), HEADER).p[3] == -25


def test_the_pinhole_is_k_of_a_raw_image_and_p_of_a_rectified_one() -> None:
    p = camera_message().p.copy()
    p[0] = 99.0
    info = resized_info(camera_message(), p=p)
    size_px = HEIGHT, WIDTH
    assert intrinsics_of(info, size_px, rectified=True).fx_px == 99.0
    assert intrinsics_of(info, size_px, rectified=False).fx_px == info.k[0]
    without = resized_info(info, p=np.zeros(12))
    assert intrinsics_of(without, size_px, rectified=True).fx_px == info.k[0]
    assert not info_of_image(without, size_px, HEADER).p.any()


@pytest.mark.parametrize("with_p", [True, False])
def test_a_straightened_image_has_no_distortion_and_the_camera_that_p_says(with_p: bool) -> None:
    info = camera_message(distorted=True)
    info = info if with_p else resized_info(info, p=np.zeros(12))
    assert is_distorted(info)
    found = info_of_image(info, (HEIGHT, WIDTH), HEADER, straightened=True)
    assert not is_distorted(found) and np.array_equal(found.r, np.eye(3).reshape(-1))
    assert np.allclose(seen_at(found), seen_at(camera_message()))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"k": np.zeros(9)}, "so the camera is not calibrated"),
        ({"k": np.full(9, np.nan)}, "k"),
        ({"height": 0}, "height is 0"),
        ({"height": WIDTH}, "aspect differs"),
    ],
)
def test_a_camera_that_is_not_calibrated_or_not_the_images_is_refused(
    fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        info_of_image(resized_info(camera_message(), **fields), (HEIGHT, WIDTH), HEADER)
