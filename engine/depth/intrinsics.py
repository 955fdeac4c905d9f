"""The camera that turns metric depth into points in space."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from ..errors import InputError
from ..system.field_types import Count, Positive
from .camera_info import read_camera_info

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera without distortion, in pixels; pixel centres have integer coordinates.

    Args:
        fx_px, fy_px: Focal lengths, horizontal and vertical.
        cx_px, cy_px: Principal point, column and row, from the centre of the top left pixel.
        size_px: (H, W) of the images that the numbers are for; None: of whatever image they are given with.

    Raises:
        InputError: A number is not finite, or a focal length or a side is not above 0.
    """

    OPTIONAL: ClassVar[tuple[str, ...]] = ("size_px",)

    fx_px: Positive
    fy_px: Positive
    cx_px: float
    cy_px: float
    size_px: tuple[Count, Count] | None = None

    def __post_init__(self) -> None:
        numbers = (self.fx_px, self.fy_px, self.cx_px, self.cy_px)
        if not all(math.isfinite(number) for number in numbers) or min(self.fx_px, self.fy_px) <= 0:
            raise InputError(f"intrinsics (fx, fy, cx, cy) = {numbers} found, expected finite numbers and fx, fy > 0")
        if self.size_px is not None and min(self.size_px) < 1:
            raise InputError(
                f"intrinsics for images of {_text(self.size_px)} px (HxW) found, expected sides of 1 or more"
            )

    @classmethod
    def from_fov(cls, horizontal_deg: float, height_px: int, width_px: int) -> Intrinsics:
        """Return a camera with square pixels and a centred axis.

        Args:
            horizontal_deg: Field of view from the left edge of the image to the right.

        Raises:
            InputError: The angle is not between 0 and 180 degrees, or a side is below 1 px.
        """
        if not 0 < horizontal_deg < 180 or min(height_px, width_px) < 1:
            raise InputError(
                f"a field of view of {horizontal_deg} degrees over {height_px}x{width_px} px (HxW) found, "
                "expected 0 < angle < 180 and sides of 1 px or more"
            )
        focal_px = width_px / 2 / math.tan(math.radians(horizontal_deg) / 2)
        return cls.centred(focal_px, height_px, width_px)

    @classmethod
    def centred(cls, focal_px: float, height_px: int, width_px: int) -> Intrinsics:
        """Return a camera with square pixels and a centred axis.

        Args:
            focal_px: Focal length in px of the image.
        """
        return cls(focal_px, focal_px, (width_px - 1) / 2, (height_px - 1) / 2, (height_px, width_px))

    @classmethod
    def from_camera_info(cls, message: object, *, rectified: bool = False) -> Intrinsics:
        """Return the camera of a ROS message sensor_msgs/CameraInfo; its binning and region of interest count.

        Raw images of a lens with distortion are taken as they are, and a warning says so; Rectification straightens
        them.

        Args:
            message: Any object with the fields of the message in the names of ROS 2 or ROS 1, or a mapping of them.
            rectified: Whether the images are rectified (image_rect), so that the matrix P is theirs; else K is.

        Raises:
            InputError: A field is missing or wrong, or the camera is not calibrated.
        """
        info = read_camera_info(message)
        if not rectified and info.distorted:
            _warn_of_distortion(info.model)
        fx_px, fy_px, cx_px, cy_px = info.numbers(rectified=rectified)
        return cls(fx_px, fy_px, cx_px, cy_px, info.image_px)

    def scaled(self, height_px: int, width_px: int) -> Intrinsics:
        """Return the camera of the same images resized to another size; each axis by its own factor.

        A ray through an edge of the image goes through the same edge afterwards, as the edges of pixels are scaled.

        Raises:
            InputError: This camera does not know the size of its images.
        """
        if self.size_px is None:
            raise InputError(
                f"a camera for {_text((height_px, width_px))} px (HxW) was asked of intrinsics that know no size of "
                "their own; give them size_px=(H, W)"
            )
        down, across = height_px / self.size_px[0], width_px / self.size_px[1]
        return Intrinsics(
            self.fx_px * across,
            self.fy_px * down,
            (self.cx_px + 0.5) * across - 0.5,
            (self.cy_px + 0.5) * down - 0.5,
            (height_px, width_px),
        )

    def cropped(self, top_px: int, left_px: int, height_px: int, width_px: int) -> Intrinsics:
        """Return the camera of a part of the images, which keeps its scale.

        Args:
            top_px, left_px: Row and column of the part's first pixel.
            height_px, width_px: Size of the part.

        Raises:
            InputError: The part is not inside the images.
        """
        height, width = self.size_px or (math.inf, math.inf)
        inside = 0 <= top_px < top_px + height_px <= height and 0 <= left_px < left_px + width_px <= width
        if not inside:
            size = "images" if self.size_px is None else f"images of {_text(self.size_px)} px"
            part = f"{_text((height_px, width_px))} px from row {top_px}, column {left_px}"
            raise InputError(f"a part of {part} found, expected one inside {size} (HxW)")
        return Intrinsics(self.fx_px, self.fy_px, self.cx_px - left_px, self.cy_px - top_px, (height_px, width_px))

    def for_image(self, image_px: tuple[int, int]) -> Intrinsics:
        """Return the camera for images of (H, W): scaled if they are of another size but of the same aspect.

        Raises:
            InputError: The aspect differs, so that the images are not the camera's whole images.
        """
        if self.size_px is None:
            return replace(self, size_px=image_px)
        if self.size_px == image_px:
            return self
        (height, width), (own_height, own_width) = image_px, self.size_px
        if abs(height * own_width - width * own_height) > max(self.size_px):  # more than a pixel by rounding
            raise InputError(
                f"a camera of {_text(self.size_px)} px (HxW) found for {_text(image_px)} px, whose aspect differs; "
                "give the camera of these images, see Intrinsics.cropped and Intrinsics.scaled"
            )
        return self.scaled(height, width)


@cache
def _warn_of_distortion(model: str) -> None:
    """Say once that images of a distorting lens are taken as they are."""
    logger.warning(
        "depthrt: the camera's lens distorts (%s), and its raw images are taken for those of a pinhole camera, so "
        "points towards the edges are off; rectify them (depthrt.Rectification), or give rectified images",
        model,
    )


def _text(size_px: tuple[int, int]) -> str:
    return f"{size_px[0]}x{size_px[1]}"
