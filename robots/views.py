"""A picture and its CameraInfo in; the picture as the model sees it, and what is known of its camera, out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.depth.intrinsics import Intrinsics
from ..engine.depth.rectify import Rectification
from ..engine.errors import InputError
from .messages.camera import info_of_image, intrinsics_of, is_distorted
from .messages.types import CameraInfo, Header

logger = logging.getLogger("depthrt")

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class View:
    """What is known of the camera of a picture.

    Args:
        info: The CameraInfo of the picture's own size, with its header.
        intrinsics: Its pinhole camera.
        inside: Pixels of the picture that the camera saw, (H, W); None for all: straightening leaves edges empty.
    """

    info: CameraInfo
    intrinsics: Intrinsics
    inside: NDArray[np.bool_] | None = None


def sees_straight(info: CameraInfo, image_topic: str, *, rectify: bool) -> bool:
    """Whether a camera's pictures are without distortion when the model sees them.

    Args:
        info: Of the camera.
        image_topic: Its name may say that its images are rectified: image_rect, image_rect_color.
        rectify: Whether the distortion is taken out of them.
    """
    words = image_topic.removesuffix("/compressed").rpartition("/")[2].split("_")
    return rectify or not is_distorted(info) or "rect" in words


def warn_of_distortion(image_topic: str) -> None:
    """Say that the depth of a topic's images is distorted, as they are."""
    logger.warning("depthrt: %s is distorted by its lens, and so is the depth; --rectify straightens it", image_topic)


class Views:
    """The views of a camera's pictures.

    Args:
        rectified: Whether the pictures are without distortion when the model sees them.
        rectify: Take the lens's distortion out of them.
        needed: Whether a picture without a usable CameraInfo is refused; else it has no view.
    """

    def __init__(self, *, rectified: bool, rectify: bool, needed: bool) -> None:
        self._rectified, self._rectify, self._needed = rectified, rectify, needed
        self._rectifications: dict[bytes, Rectification] = {}
        self._warned = False

    def look(self, picture: Picture, info: CameraInfo | None, header: Header) -> tuple[Picture, View | None]:
        """Return the picture, straightened if that is asked for, and its view; None for no camera.

        Args:
            info: Of the camera, as it was received; None if there is none.
            header: Of the picture.

        Raises:
            InputError: The CameraInfo is needed, and is not calibrated or is of images of another aspect.
        """
        view = None if info is None else self._view(picture, info, header)
        if info is None or view is None or not self._rectify:
            return picture, view
        return self._straighten(picture, info, view)

    def _view(self, picture: Picture, info: CameraInfo, header: Header) -> View | None:
        image_px = (picture.shape[0], picture.shape[1])
        try:
            intrinsics = intrinsics_of(info, image_px, rectified=self._rectified)
            return View(info_of_image(info, image_px, header), intrinsics)
        except InputError as error:
            if self._needed:
                raise
            if not self._warned:
                self._warned = True
                logger.warning("depthrt: depth is written without a CameraInfo: %s", error)
            return None

    def _straighten(self, picture: Picture, camera: CameraInfo, view: View) -> tuple[Picture, View]:
        """Take the lens's distortion out of a picture."""
        info = view.info
        key = b"".join(array.tobytes() for array in (info.d, info.k, info.r, info.p)) + repr(picture.shape).encode()
        if key not in self._rectifications:
            self._rectifications = {key: Rectification(info)}  # of the last camera only
        found = self._rectifications[key]
        straight = info_of_image(camera, (info.height, info.width), info.header, straightened=True)
        return found.apply(picture), View(straight, found.camera, found.inside)
