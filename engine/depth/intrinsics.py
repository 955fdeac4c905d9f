"""The camera that turns metric depth into points in space."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera without distortion, in pixels; pixel centres have integer coordinates.

    Args:
        fx_px, fy_px: Focal lengths, horizontal and vertical.
        cx_px, cy_px: Principal point, column and row, from the centre of the top left pixel.
    """

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float

    def __post_init__(self) -> None:
        numbers = (self.fx_px, self.fy_px, self.cx_px, self.cy_px)
        if not all(math.isfinite(number) for number in numbers) or min(self.fx_px, self.fy_px) <= 0:
            raise InputError(f"intrinsics (fx, fy, cx, cy) = {numbers} found, expected finite numbers and fx, fy > 0")

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
        return cls(focal_px, focal_px, (width_px - 1) / 2, (height_px - 1) / 2)
