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


def camera_of(
    camera: Intrinsics | None, focal_px: float | None, contract: Contract, image_px: tuple[int, int]
) -> tuple[Intrinsics | None, float | None]:
    """Return the camera of an image at its size, and the focal length that the model needs; None for what is unknown.

    A camera is for points too, so that a model whose metres need no focal length takes it.

    Raises:
        InputError: Both are given, or the camera is one of images of another aspect, or see check_focal.
    """
    if camera is None:
        return None, check_focal(focal_px, contract)
    if focal_px is not None:
        raise InputError("a focal length and a camera were given, expected one of them; the camera has its own")
    if not isinstance(camera, Intrinsics):
        raise InputError(f"camera: {type(camera).__name__} found, expected Intrinsics; make it with depthrt.Intrinsics")
    camera = camera.for_image(image_px)
    return camera, None if contract.focal_unit_px is None else (camera.fx_px + camera.fy_px) / 2


def metres_factor(
    focal_px: float | None,
    contract: Contract,
    fit: Fit,
    image_px: tuple[int, int],
    camera: Intrinsics | None = None,
) -> float:
    """Return the factor that makes metres of the network's output; 1 without a focal length.

    Both axes of the resized image can differ a little in scale, and both focal lengths of a camera; their mean counts.
    Source: Depth-Anything-3 src/depth_anything_3/utils/alignment.py (apply_metric_scaling)

    Args:
        focal_px: Of the image's camera, in px of the image.
        contract: Of the model file.
        fit: Where the image lies in the network's input.
        image_px: (H, W).
        camera: Of the image, with a focal length for each axis; None if only one is known.
    """
    if focal_px is None or contract.focal_unit_px is None:
        return 1.0
    framed_px = fit.framed_px(image_px)
    across_px, down_px = (focal_px, focal_px) if camera is None else (camera.fx_px, camera.fy_px)
    down_px, across_px = down_px * fit.content_px[0] / framed_px[0], across_px * fit.content_px[1] / framed_px[1]
    return (down_px + across_px) / 2 / contract.focal_unit_px


def _checked(focal_px: float) -> float:
    try:
        found = float(focal_px)
    except (TypeError, ValueError):
        found = math.nan
    if not (math.isfinite(found) and found > 0):
        raise InputError(f"focal length {focal_px!r} found, expected px of the image, above 0")
    return found
