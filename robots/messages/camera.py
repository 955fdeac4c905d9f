"""A sensor_msgs/CameraInfo in; the one of an image, at the image's own size, and its pinhole camera out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.camera_info import read_camera_info
from ...engine.depth.intrinsics import Intrinsics
from .types import CameraInfo, Header, RegionOfInterest

WHOLE = RegionOfInterest(0, 0, 0, 0, False)


def intrinsics_of(info: CameraInfo, image_px: tuple[int, int], *, rectified: bool) -> Intrinsics:
    """Return the pinhole camera of an image.

    Args:
        info: As it was recorded: its binning and region of interest count, and it may be of another size.
        image_px: (H, W) of the image.
        rectified: Whether the image is without distortion: then P counts if there is one, else K.

    Raises:
        InputError: It is not calibrated, or it is of images of another aspect.
    """
    found = read_camera_info(info)
    by_p = rectified and _has_p(info)
    return Intrinsics(*found.numbers(rectified=by_p), found.image_px).for_image(image_px)


def info_of_image(
    info: CameraInfo, image_px: tuple[int, int], header: Header, *, straightened: bool = False
) -> CameraInfo:
    """Return the CameraInfo of an image: of its size, without a region of interest and without binning.

    Args:
        info, image_px: As in intrinsics_of.
        header: The image's own.
        straightened: Whether the image was straightened, so that no distortion is left, and K is what P is.

    Raises:
        InputError: As intrinsics_of.
    """
    d, r, k = info.d, info.r, _k(intrinsics_of(info, image_px, rectified=False))
    p = _p(info, image_px) if _has_p(info) else np.zeros(12)
    if straightened:
        p = p if _has_p(info) else _padded(k)
        d, r, k = np.zeros_like(d), np.eye(3).reshape(-1), p.reshape(3, 4)[:, :3].reshape(-1)
    height, width = image_px
    return replace(
        info, header=header, height=height, width=width, d=d, k=k, r=r, p=p, binning_x=0, binning_y=0, roi=WHOLE
    )


def is_distorted(info: CameraInfo) -> bool:
    """Whether the camera's lens bends lines."""
    return bool(np.any(info.d))


def _has_p(info: CameraInfo) -> bool:
    """Whether a CameraInfo says what rectified images are like."""
    return bool(info.p.size == 12 and info.p[0] > 0)


def _k(camera: Intrinsics) -> NDArray[np.float64]:
    return np.array([camera.fx_px, 0, camera.cx_px, 0, camera.fy_px, camera.cy_px, 0, 0, 1], np.float64)


def _p(info: CameraInfo, image_px: tuple[int, int]) -> NDArray[np.float64]:
    """Return P at an image's size; the distance to a stereo camera's other eye, in px, is scaled too."""
    camera = intrinsics_of(info, image_px, rectified=True)
    p = _padded(_k(camera))
    p[3], p[7] = info.p[3] * camera.fx_px / info.p[0], info.p[7] * camera.fy_px / info.p[5]
    return p


def _padded(k: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([k.reshape(3, 3), np.zeros((3, 1))]).reshape(-1)
