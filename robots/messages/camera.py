"""A sensor_msgs/CameraInfo in; the one of an image, at the image's own size, out.

A CameraInfo describes the whole sensor. Its region of interest and its binning say which pixels the image has; where a
resized image carries the CameraInfo of the original, their sizes do. Pixel centres have integer coordinates, so a pixel
at u of the original lies at scale * (u + 0.5) - 0.5 in the image.
Source: ros2/common_interfaces sensor_msgs/msg/CameraInfo.msg
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.intrinsics import Intrinsics
from ...engine.errors import InputError
from .types import CameraInfo, Header, RegionOfInterest

Float64 = NDArray[np.float64]


def info_of_image(info: CameraInfo, image_px: tuple[int, int], *, header: Header | None = None) -> CameraInfo:
    """Return the CameraInfo of an image: of its size, without a region of interest and without binning.

    Args:
        info: As it was recorded.
        image_px: (H, W) of the image.
        header: The image's own, whose stamp the result has; None leaves that of `info`.

    Raises:
        InputError: It is not calibrated, or its matrices are impossible.
    """
    height, width = image_px
    move = _move(info, image_px)
    return replace(
        info,
        header=info.header if header is None else header,
        height=height,
        width=width,
        k=(move @ _matrix(info.k, 3)).reshape(-1),
        p=(move @ _matrix(info.p, 4)).reshape(-1),
        binning_x=0,
        binning_y=0,
        roi=RegionOfInterest(0, 0, 0, 0, False),
    )


def intrinsics_of(info: CameraInfo, *, rectified: bool) -> Intrinsics:
    """Return the pinhole camera of an image.

    Args:
        info: Of the image's own size, as info_of_image returns it.
        rectified: Whether the image is without distortion: then it is the projection P that counts, else K.

    Raises:
        InputError: It is not calibrated.
    """
    found = _matrix(info.p, 4) if rectified and info.p[0] else _matrix(info.k, 3)
    if not (found[0, 0] and found[1, 1]):
        raise InputError(
            f"a CameraInfo without a focal length found in frame {info.header.frame_id!r:.60}, expected a calibrated "
            "camera; calibrate it with camera_calibration"
        )
    return Intrinsics(float(found[0, 0]), float(found[1, 1]), float(found[0, 2]), float(found[1, 2]))


def is_distorted(info: CameraInfo) -> bool:
    """Whether the camera's lens bends lines."""
    return bool(np.any(info.d))


def rectifier(info: CameraInfo) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return what takes the distortion out of images of a camera.

    Args:
        info: Of the images' own size.

    Raises:
        InputError: The model of distortion is not read.
    """
    import cv2

    size = (info.width, info.height)  # (w, h), as OpenCV has it
    k, r, p = _matrix(info.k, 3), _matrix(info.r, 3), _matrix(info.p, 4)
    r = r if r.any() else np.eye(3)
    target = p[:, :3] if p[0, 0] else k
    if info.distortion_model in ("plumb_bob", "rational_polynomial"):
        maps = cv2.initUndistortRectifyMap(k, info.d, r, target, size, cv2.CV_16SC2)
    elif info.distortion_model == "equidistant":
        maps = cv2.fisheye.initUndistortRectifyMap(k, info.d[:4], r, target, size, cv2.CV_16SC2)
    else:
        raise InputError(
            f"distortion model {info.distortion_model!r:.60} found, expected plumb_bob, rational_polynomial or "
            "equidistant; rectify the images with image_proc"
        )
    return lambda image: np.asarray(cv2.remap(image, maps[0], maps[1], cv2.INTER_LINEAR), np.uint8)


def rectified_info(info: CameraInfo) -> CameraInfo:
    """Return the CameraInfo of rectified images of a camera: no distortion, and K as P has it."""
    p = _matrix(info.p, 4)
    k = p[:, :3] if p[0, 0] else _matrix(info.k, 3)
    whole = p if p[0, 0] else np.hstack([k, np.zeros((3, 1))])
    return replace(info, d=np.zeros_like(info.d), k=k.reshape(-1), r=np.eye(3).reshape(-1), p=whole.reshape(-1))


def _move(info: CameraInfo, image_px: tuple[int, int]) -> Float64:
    """Return the matrix (3, 3) that takes the sensor's pixels to the image's."""
    roi = info.roi
    seen_px = (roi.height or info.height, roi.width or info.width)
    if min(*seen_px, *image_px) < 1:
        raise InputError(
            f"a CameraInfo of {seen_px[0]}x{seen_px[1]} px (HxW) found for an image of {image_px[0]}x{image_px[1]}; "
            "publish its height and width"
        )
    y_scale, x_scale = image_px[0] / seen_px[0], image_px[1] / seen_px[1]
    x = (x_scale - 1) / 2 - x_scale * roi.x_offset
    y = (y_scale - 1) / 2 - y_scale * roi.y_offset
    return np.array([[x_scale, 0, x], [0, y_scale, y], [0, 0, 1]])


def _matrix(values: Float64, columns: int) -> Float64:
    """Return a matrix (3, columns) of a CameraInfo."""
    if values.size != 3 * columns or not np.isfinite(values).all():
        raise InputError(f"a matrix of {values.size} numbers found in a CameraInfo, expected {3 * columns} finite ones")
    return np.asarray(values, np.float64).reshape(3, columns)
