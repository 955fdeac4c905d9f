"""Images of a lens that distorts in, those of a pinhole camera out, as a CameraInfo describes them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..images.limits import check_image
from .camera_info import CameraInfo, read_camera_info
from .intrinsics import Intrinsics

_FISHEYE = ("equidistant", "fisheye")  # with four numbers
_KNOWN = ("plumb_bob", "rational_polynomial", *_FISHEYE)
Float32 = NDArray[np.float32]


class Rectification:
    """Straightens the raw images of one camera; the maps are made once.

    Args:
        message: A CameraInfo, as Intrinsics.from_camera_info takes it.

    Raises:
        InputError: The message is wrong, the camera is not calibrated, or the model of its distortion is unknown.
    """

    def __init__(self, message: object) -> None:
        info = read_camera_info(message)
        if info.distorted and info.model not in _KNOWN:
            raise InputError(
                f"CameraInfo: distortion_model is {info.model!r:.40}, expected one of {', '.join(_KNOWN)}; rectify the "
                "images elsewhere"
            )
        has_p = min(info.p[0], info.p[5]) > 0
        self.camera = Intrinsics(*info.numbers(rectified=has_p), info.image_px)
        self._columns, self._rows = _maps(info, self.camera)
        height, width = info.image_px
        rows, columns = self._rows, self._columns
        self.inside: NDArray[np.bool_] = (
            (rows >= -0.5) & (rows <= height - 0.5) & (columns >= -0.5) & (columns <= width - 0.5)
        )

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return an image straightened, (H, W, 3) uint8; black where `inside`, (H, W) bool, is false.

        Raises:
            InputError: It is no image, or of another size than the camera's images.
        """
        check_image(image)
        if image.shape[:2] != self.inside.shape:
            found, own = ("x".join(map(str, size)) for size in (image.shape[:2], self.inside.shape))
            raise InputError(
                f"an image of {found} px (HxW) found, expected {own}, as its CameraInfo says; check the topic"
            )
        found = cv2.remap(image, self._columns, self._rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        straight = np.asarray(found, np.uint8)
        straight[~self.inside] = 0
        return straight


def _maps(info: CameraInfo, camera: Intrinsics) -> tuple[Float32, Float32]:
    """Return where each pixel of the straight image lies in the raw one: columns and rows, (H, W) each."""
    raw = _matrix(*info.numbers(rectified=False))
    turn = np.reshape(info.r, (3, 3)) if any(info.r) else np.eye(3)
    straight = _matrix(camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px)
    size = info.image_px[::-1]  # (w, h)
    bend = np.array(info.distortion or (0.0,) * 4)
    if info.model in _FISHEYE:
        maps = cv2.fisheye.initUndistortRectifyMap(raw, bend[:4], turn, straight, size, cv2.CV_32FC1)
    else:
        maps = cv2.initUndistortRectifyMap(raw, bend, turn, straight, size, cv2.CV_32FC1)
    return np.asarray(maps[0], np.float32), np.asarray(maps[1], np.float32)


def _matrix(fx_px: float, fy_px: float, cx_px: float, cy_px: float) -> NDArray[np.float64]:
    return np.array([[fx_px, 0, cx_px], [0, fy_px, cy_px], [0, 0, 1]])
