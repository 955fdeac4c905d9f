"""A CameraInfo describes the images that come: a part of the sensor's, binned, in the names of ROS 1 and 2."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_camera_info import EYE, K, P, camera_info, region
from refusal import refusal

from depthrt.engine.depth.camera_info import read_camera_info


def test_the_names_of_ros_1_and_of_a_mapping_say_the_same() -> None:
    expected = read_camera_info(camera_info(d=[0.1, 0.2]))
    fields = vars(camera_info(d=[0.1, 0.2]))
    assert read_camera_info(fields) == expected
    ros_1 = SimpleNamespace(**{name.upper() if name in "dkrp" else name: value for name, value in fields.items()})
    assert read_camera_info(ros_1) == expected
    arrays = camera_info(d=np.array([0.1, 0.2]), k=np.array(K), p=np.array(P), r=np.array(EYE))
    assert read_camera_info(arrays) == expected


def test_raw_images_have_k_and_rectified_ones_p() -> None:
    info = read_camera_info(camera_info())
    assert info.numbers(rectified=False) == (500, 505, 321, 241)
    assert info.numbers(rectified=True) == (450, 455, 319, 239)
    assert info.image_px == (480, 640) and not info.distorted


@pytest.mark.parametrize("rectified", [False, True])
def test_a_point_lies_where_the_sensor_has_it_less_the_offset_and_binned(rectified: bool) -> None:
    whole = read_camera_info(camera_info()).numbers(rectified=rectified)
    cut = read_camera_info(camera_info(binning_x=2, binning_y=4, roi=region(40, 80, 200, 300)))
    fx, fy, cx, cy = cut.numbers(rectified=rectified)
    assert cut.image_px == (50, 150)
    for x, y in ((0.0, 0.0), (0.3, -0.2)):
        column, row = x * whole[0] + whole[2], y * whole[1] + whole[3]
        assert (x * fx + cx, y * fy + cy) == pytest.approx(((column - 40) / 2, (row - 80) / 4))


def test_a_region_of_zeros_is_the_whole_image_and_so_is_none() -> None:
    whole = read_camera_info(camera_info())
    assert read_camera_info(camera_info(roi=None, binning_x=1, binning_y=1)) == whole
    assert read_camera_info(camera_info(roi=region(10, 20))).image_px == (460, 630), "up to the sensor's edge"


@pytest.mark.parametrize(
    ("changes", "rectified", "message"),
    [
        ({"k": [0.0] * 9}, False, "K has the focal lengths 0, 0, so the camera is not calibrated"),
        ({"p": [0.0] * 12}, True, "P has the focal lengths 0, 0, so the camera is not rectified"),
        ({"k": K[:8]}, False, "CameraInfo: k is [500.0, 0.0, 321.0, 0.0, 505.0"),
        ({"k": [float("nan")] * 9}, False, "expected 9 finite numbers"),
        ({"p": None}, True, "SimpleNamespace without the field p found, expected a CameraInfo"),
        ({"d": "bent"}, False, "d is 'bent', expected finite numbers"),
        ({"height": 0}, False, "height is 0, expected a whole number of 1 or more"),
        ({"width": "wide"}, False, "width is 'wide', expected a whole number"),
        ({"binning_x": -1}, False, "binning_x is -1, expected a whole number of 0 or more"),
        ({"roi": region(600, 0, 480, 640)}, False, "roi of 480x640 px from row 0, column 600 found"),
    ],
)
def test_a_message_that_is_no_camera_is_refused(changes: dict[str, Any], rectified: bool, message: str) -> None:
    found = refusal(lambda: read_camera_info(camera_info(**changes)).numbers(rectified=rectified))
    assert message in found and "\n" not in found
