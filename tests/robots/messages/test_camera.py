"""The CameraInfo of an image: its K and P see the same points as the sensor's, at the image's own size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_bags import HEIGHT, WIDTH, camera_message, header, picture, resized_info

from depthrt import InputError
from depthrt.robots.messages.camera import (
    info_of_image,
    intrinsics_of,
    is_distorted,
    rectified_info,
    rectifier,
)
from depthrt.robots.messages.types import CameraInfo, RegionOfInterest

POINT = np.array([0.3, -0.2, 2.0])  # metres


def seen_at(info: CameraInfo) -> np.ndarray:  # type: ignore[type-arg]
    """Return the pixel (column, row) at which a camera shows the point, by K; P must agree."""
    by_k = info.k.reshape(3, 3) @ POINT
    by_p = info.p.reshape(3, 4) @ np.append(POINT, 1)
    assert np.allclose(by_k, by_p)
    return np.asarray(by_k[:2] / by_k[2])


def test_an_image_of_the_sensors_size_keeps_its_camera() -> None:
    info = camera_message()
    found = info_of_image(info, (HEIGHT, WIDTH))
    assert np.array_equal(found.k, info.k) and np.array_equal(found.p, info.p) and found.header == info.header


@pytest.mark.parametrize("scale", [(2, 2), (0.5, 0.5), (0.5, 2)])
def test_a_resized_image_shows_a_point_at_the_scaled_place(scale: tuple[float, float]) -> None:
    info = camera_message()
    found = info_of_image(info, (round(HEIGHT * scale[0]), round(WIDTH * scale[1])))
    expected = np.array(scale[::-1]) * (seen_at(info) + 0.5) - 0.5  # pixel centres are whole numbers
    assert np.allclose(seen_at(found), expected)
    assert (found.height, found.width) == (HEIGHT * scale[0], WIDTH * scale[1])


def test_a_region_of_interest_moves_the_axis() -> None:
    info = resized_info(camera_message(), roi=RegionOfInterest(10, 6, 24, 32, False))
    found = info_of_image(info, (24, 32))
    assert np.allclose(seen_at(found), seen_at(camera_message()) - (10, 6))
    assert found.roi.width == 0 and (found.height, found.width) == (24, 32)


def test_binning_counts_with_and_without_a_region() -> None:
    binned = info_of_image(resized_info(camera_message(), binning_x=2, binning_y=2), (HEIGHT // 2, WIDTH // 2))
    halved = info_of_image(camera_message(), (HEIGHT // 2, WIDTH // 2))
    assert np.array_equal(binned.k, halved.k) and (binned.binning_x, binned.binning_y) == (0, 0)
    region = RegionOfInterest(10, 6, 24, 32, False)
    both = info_of_image(resized_info(camera_message(), binning_x=2, binning_y=2, roi=region), (12, 16))
    assert np.allclose(seen_at(both), (seen_at(camera_message()) - (10, 6) + 0.5) / 2 - 0.5)


def test_a_stereo_cameras_baseline_is_scaled_too() -> None:
    p = camera_message().p.copy()
    p[3] = -12.5
    assert info_of_image(resized_info(camera_message(), p=p), (HEIGHT * 2, WIDTH * 2)).p[3] == -25


def test_the_header_can_be_the_images() -> None:
    assert info_of_image(camera_message(1), (HEIGHT, WIDTH), header=header(5)).header == header(5)


def test_the_pinhole_is_k_of_a_raw_image_and_p_of_a_rectified_one() -> None:
    p = camera_message().p.copy()
    p[0] = 99.0
    info = resized_info(camera_message(), p=p)
    assert intrinsics_of(info, rectified=True).fx_px == 99.0
    assert intrinsics_of(info, rectified=False).fx_px == info.k[0]
    assert intrinsics_of(resized_info(info, p=np.zeros(12)), rectified=True).fx_px == info.k[0]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"k": np.zeros(9), "p": np.zeros(12)}, "without a focal length"),
        ({"k": np.full(9, np.nan)}, "9 finite ones"),
        ({"height": 0}, "0x64 px"),
    ],
)
def test_a_camera_that_is_not_calibrated_is_refused(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        intrinsics_of(info_of_image(resized_info(camera_message(), **fields), (HEIGHT, WIDTH)), rectified=False)


def test_rectified_images_are_opencvs_and_their_camera_has_no_distortion() -> None:
    info = camera_message(distorted=True)
    assert is_distorted(info) and not is_distorted(rectified_info(info))
    k = info.k.reshape(3, 3)
    expected = cv2.undistort(picture(0), k, info.d)
    found = rectifier(info)(picture(0))
    assert np.abs(found.astype(int) - expected).mean() < 0.5  # of 255: the same, but for the rounding of the maps
    assert np.abs(found.astype(int) - picture(0)).mean() > 5
    assert np.allclose(seen_at(rectified_info(info)), seen_at(info))


def test_a_lens_without_distortion_changes_nothing() -> None:
    assert np.array_equal(rectifier(camera_message())(picture(0)), picture(0))


def test_fisheye_lenses_are_rectified_and_other_models_are_refused() -> None:
    fisheye = resized_info(camera_message(), distortion_model="equidistant", d=np.array([0.1, 0.01, 0.0, 0.0]))
    assert rectifier(fisheye)(picture(0)).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(InputError, match="'magic' found, expected plumb_bob"):
        rectifier(resized_info(fisheye, distortion_model="magic"))
