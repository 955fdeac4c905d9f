"""The focal length of an image's camera, and what it makes of the depth of a network that needs it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..depth.intrinsics import Intrinsics
from ..errors import InputError
from ..images.fit import Fit
from ..modelfile.contract import Contract


@dataclass(frozen=True, slots=True)
class Lens:
    """What is known of the lens that took the images; nothing by default.

    Args:
        focal_px: Focal length in px of the image.
        fov_deg: Field of view from the left edge of the image to the right.

    Raises:
        InputError: Both are given, or a value is impossible.
    """

    focal_px: float | None = None
    fov_deg: float | None = None

    def __post_init__(self) -> None:
        if None not in (self.focal_px, self.fov_deg):
            raise InputError("a focal length and a field of view were given, expected one of them (--focal-px, --fov)")
        self.focal_of((1, 1))  # refuses impossible values

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return self.focal_px is not None or self.fov_deg is not None

    def focal_of(self, image_px: tuple[int, int]) -> float | None:
        """Return the focal length for an image of (H, W) in px of it; None if nothing is known."""
        if self.fov_deg is not None:
            return Intrinsics.from_fov(self.fov_deg, *image_px).fx_px
        return None if self.focal_px is None else _checked(self.focal_px)


ANY_LENS = Lens()


def check_focal(focal_px: float | None, contract: Contract) -> float | None:
    """Return a focal length as a float; None if none was given.

    Raises:
        InputError: It is not a number above 0, or the model does not take one.
    """
    if focal_px is None:
        return None
    if contract.focal_unit_px is None:
        has = "metres for every camera" if contract.unit else "depth without a unit, whatever the camera"
        raise InputError(f"a focal length was given, and {contract.model} gives {has}; leave it out")
    return _checked(focal_px)


def metres_factor(focal_px: float | None, contract: Contract, fit: Fit, image_px: tuple[int, int]) -> float:
    """Return the factor that makes metres of the network's output; 1 without a focal length.

    Both axes of the resized image can differ a little in scale; their mean counts.
    Source: Depth-Anything-3 src/depth_anything_3/utils/alignment.py (apply_metric_scaling)

    Args:
        focal_px: Of the image's camera, in px of the image.
        contract: Of the model file.
        fit: Where the image lies in the network's input.
        image_px: (H, W).
    """
    if focal_px is None or contract.focal_unit_px is None:
        return 1.0
    framed_px = fit.framed_px(image_px)
    scale = (fit.content_px[0] / framed_px[0] + fit.content_px[1] / framed_px[1]) / 2
    return focal_px * scale / contract.focal_unit_px


def _checked(focal_px: float) -> float:
    try:
        found = float(focal_px)
    except (TypeError, ValueError):
        found = math.nan
    if not (math.isfinite(found) and found > 0):
        raise InputError(f"focal length {focal_px!r} found, expected px of the image, above 0")
    return found
