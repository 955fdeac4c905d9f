"""The ROS message sensor_msgs/CameraInfo in, the numbers of the camera's images out; nothing of ROS is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError

_REMEDY = "give a sensor_msgs/CameraInfo of a calibrated camera"
Numbers = tuple[float, float, float, float]  # fx, fy, cx, cy


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """What a CameraInfo says.

    Source: ROS REP 104 and sensor_msgs/CameraInfo.

    Args:
        full_px: (H, W) of the sensor's full images.
        model: Of the distortion: "plumb_bob", "rational_polynomial", "equidistant" or another.
        distortion: D; empty or zeros for a lens without.
        k: Camera matrix of the raw images, 3x3 by rows.
        r: Rotation to the rectified images, 3x3 by rows.
        p: Projection of the rectified images, 3x4 by rows; zeros if the camera is not rectified.
        binning: Sensor pixels a pixel of the image, (down, across).
        part: (top, left, height, width) of the region of interest in full pixels.
    """

    full_px: tuple[int, int]
    model: str
    distortion: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    binning: tuple[int, int]
    part: tuple[int, int, int, int]

    @property
    def distorted(self) -> bool:
        """Whether straight lines are bent in the raw images."""
        return any(self.distortion)

    @property
    def image_px(self) -> tuple[int, int]:
        """Return (H, W) of the images: the region of interest after binning."""
        return self.part[2] // self.binning[0], self.part[3] // self.binning[1]

    def numbers(self, *, rectified: bool) -> Numbers:
        """Return (fx, fy, cx, cy) in px of the images.

        The principal point is divided by the binning as it is, half pixels aside.
        Source: vision_opencv image_geometry, PinholeCameraModel

        Raises:
            InputError: The matrix holds no focal length.
        """
        name, width = ("P", 4) if rectified else ("K", 3)
        matrix = self.p if rectified else self.k
        fx, fy, cx, cy = matrix[0], matrix[width + 1], matrix[2], matrix[width + 2]
        if min(fx, fy) <= 0:
            reason = "the camera is not rectified" if rectified and self.k[0] > 0 else "the camera is not calibrated"
            raise InputError(f"CameraInfo: {name} has the focal lengths {fx:g}, {fy:g}, so {reason}; {_REMEDY}")
        (down, across), (top, left, _, _) = self.binning, self.part
        return fx / across, fy / down, (cx - left) / across, (cy - top) / down


def read_camera_info(message: object) -> CameraInfo:
    """Return what a message says.

    Args:
        message: Any object with the fields of the message in the names of ROS 2 (d, k, r, p) or ROS 1 (D, K, R, P), or
            a mapping of them; without "binning_x", "binning_y" and "roi" the images are whole.

    Raises:
        InputError: A field is missing or wrong; the message names it.
    """
    height, width = (_whole(message, name, least=1) for name in ("height", "width"))
    return CameraInfo(
        full_px=(height, width),
        model=str(_field(message, "distortion_model", "")),
        distortion=_floats(message, "d", None),
        k=_floats(message, "k", 9),
        r=_floats(message, "r", 9),
        p=_floats(message, "p", 12),
        binning=(_whole(message, "binning_y", 1) or 1, _whole(message, "binning_x", 1) or 1),
        part=_part(_field(message, "roi", None), height, width),
    )


def _part(roi: object, height: int, width: int) -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of a region of interest; one of zeros is the whole image."""
    if roi is None:
        return 0, 0, height, width
    top, left = _whole(roi, "y_offset"), _whole(roi, "x_offset")
    part = (top, left, _whole(roi, "height") or height - top, _whole(roi, "width") or width - left)
    if top + part[2] > height or left + part[3] > width or min(part[2:]) < 1:
        found = f"{part[2]}x{part[3]} px from row {top}, column {left}"
        raise InputError(f"CameraInfo: roi of {found} found, expected a part of {height}x{width} px (HxW); {_REMEDY}")
    return part


_NEEDED = object()


def _field(message: object, name: str, default: object = _NEEDED) -> object:
    """Return a field by its name in ROS 2, or in ROS 1, where matrices have capital letters."""
    for known in (name, name.upper() if len(name) == 1 else name):
        found = message.get(known) if isinstance(message, Mapping) else getattr(message, known, None)
        if found is not None:
            return found
    if default is _NEEDED:
        raise InputError(f"{type(message).__name__} without the field {name} found, expected a CameraInfo; {_REMEDY}")
    return default


def _whole(message: object, name: str, default: object = _NEEDED, *, least: int = 0) -> int:
    found = _field(message, name, default)
    try:
        value = int(found)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        value = -1
    if value < least:
        raise InputError(f"CameraInfo: {name} is {found!r:.40}, expected a whole number of {least} or more; {_REMEDY}")
    return value


def _floats(message: object, name: str, count: int | None) -> tuple[float, ...]:
    """Return a list of numbers: `count` of them, or any number for None."""
    found = _field(message, name, () if count is None else _NEEDED)
    try:
        values = tuple(float(value) for value in found)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        values = (math.nan,)
    if not all(map(math.isfinite, values)) or len(values) != (len(values) if count is None else count):
        expected = "finite numbers" if count is None else f"{count} finite numbers"
        raise InputError(f"CameraInfo: {name} is {found!r:.60}, expected {expected}; {_REMEDY}")
    return values
