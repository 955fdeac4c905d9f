"""Messages of cameras that a test makes: the fields of sensor_msgs/CameraInfo, without ROS."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

K = [500.0, 0.0, 321.0, 0.0, 505.0, 241.0, 0.0, 0.0, 1.0]
P = [450.0, 0.0, 319.0, 0.0, 0.0, 455.0, 239.0, 0.0, 0.0, 0.0, 1.0, 0.0]
EYE = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def region(
    x_offset: int = 0, y_offset: int = 0, height: int = 0, width: int = 0, *, do_rectify: bool = False
) -> SimpleNamespace:
    """Return a sensor_msgs/RegionOfInterest."""
    return SimpleNamespace(x_offset=x_offset, y_offset=y_offset, height=height, width=width, do_rectify=do_rectify)


def camera_info(**changes: Any) -> SimpleNamespace:  # noqa: ANN401 (fields of any type, also wrong ones)
    """Return a CameraInfo of a camera of 480x640 px without distortion, in the names of ROS 2; or with changes."""
    fields: dict[str, Any] = {
        "height": 480,
        "width": 640,
        "distortion_model": "plumb_bob",
        "d": [0.0] * 5,
        "k": K,
        "r": EYE,
        "p": P,
        "binning_x": 0,
        "binning_y": 0,
        "roi": region(),
    }
    return SimpleNamespace(**{**fields, **changes})
