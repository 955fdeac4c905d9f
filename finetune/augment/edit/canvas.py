"""A frame while it is edited: its pixels, its inverse depth, its regions, and what was changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..geometry.plane import Camera, Float64

Mask = NDArray[np.bool_]
Image = NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class Canvas:
    """A frame that edits change in place.

    Args:
        image: (H, W, 3) uint8, BGR.
        inverse: (h, w) float64, inverse depth: 0 is infinitely far, NaN is unknown.
        regions: (h, w) uint8, bits of regions.py.
        camera: K in pixels of the depth map.
        changed: (h, w) bool, pixels with new depth.
        erased: (h, w) bool, pixels whose depth is now unknown.
    """

    image: Image
    inverse: Float64
    regions: NDArray[np.uint8]
    camera: Camera
    changed: Mask = field(init=False)
    erased: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.changed = np.zeros(self.inverse.shape, np.bool_)
        self.erased = np.zeros(self.inverse.shape, np.bool_)

    @property
    def size_px(self) -> tuple[int, int]:
        """Return (h, w) of the depth map."""
        return self.inverse.shape[0], self.inverse.shape[1]

    @property
    def to_image(self) -> Float64:
        """Return the homography (3, 3) from pixels of the depth map to pixels of the image."""
        down, across = self.image.shape[0] / self.size_px[0], self.image.shape[1] / self.size_px[1]
        return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
