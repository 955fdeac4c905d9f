"""A plane of a scene: inverse depth is affine in pixel coordinates on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Camera = Float64  # (3, 3): pixel = K point; pixel centres are whole numbers, x right, y down, z forward


@dataclass(frozen=True, slots=True)
class Plane:
    """Plane with inverse depth a u + b v + c at pixel (u, v) of a depth map.

    Args:
        a, b, c: Coefficients, in the unit of the inverse depth.
        share: Share of the image that lies on it.
        residual: Root of the mean squared difference of the scene from it, relative to the inverse depth; 0 for a
            plane that no scene was measured for.
    """

    a: float
    b: float
    c: float
    share: float = 0.0
    residual: float = 0.0

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """Return (a, b, c)."""
        return self.a, self.b, self.c

    def inverse(self, box: Box) -> Float64:
        """Return the inverse depth of the pixels of a box, (box.height, box.width)."""
        u = np.arange(box.left, box.right) * self.a
        v = np.arange(box.top, box.bottom) * self.b + self.c
        return u + v[:, None]

    def at(self, u: float, v: float) -> float:
        """Return the inverse depth of a pixel."""
        return self.a * u + self.b * v + self.c

    def normal(self, camera: Camera) -> Float64:
        """Return n (3,) with n . point = 1 for the points of the plane."""
        normal: Float64 = camera.T @ np.array(self.coefficients)
        return normal

    def nearer(self, factor: float) -> Plane:
        """Return the parallel plane whose inverse depth is `factor` times as large at every pixel."""
        return Plane(self.a * factor, self.b * factor, self.c * factor)


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels [top, bottom) x [left, right) of an image."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Return the number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Return the index of the box in an array (H, W, ...)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


def through(normal: Float64, camera: Camera) -> Plane:
    """Return the plane of the points with normal . point = 1."""
    a, b, c = np.linalg.inv(camera).T @ normal
    return Plane(float(a), float(b), float(c))
