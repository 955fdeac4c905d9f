"""The study's edit of the ground truth, restated as a formula, for benchmarks that compare with it.

At picture coordinates (s, t) in [0, 1] of a quadrilateral,
    z(s, t) = (1 - s)(1 - t) z1 + s (1 - t) z2 + s t z3 + (1 - s) t z4,
    zi = (1 - PULL) depth(corner i) + PULL nearest,
where nearest is the least depth of the scene. It is a saddle: not a plane unless the four corners are in one and z is
replaced by 1/z; and it is drawn to what is nearest, wherever the quadrilateral is.
"""

from __future__ import annotations

import numpy as np

from .geometry.plane import Box, Float64
from .geometry.rectangles import project

PULL = 0.5  # towards the nearest depth
_NEAREST_PERCENTILE = 0.5  # of the scene's depth: a single wrong pixel is not the nearest


def study_inverse(scene: Float64, homography: Float64, box: Box) -> Float64:
    """Return the inverse depth that the study gave to a quadrilateral, (box.height, box.width).

    Args:
        scene: (h, w), inverse depth before the edit; 0 is infinitely far, NaN unknown.
        homography: (3, 3), unit square to pixels.
        box: Pixels wanted; those outside the quadrilateral have no meaning.
    """
    known = scene[np.isfinite(scene) & (scene > 0)]
    nearest = 1 / np.percentile(known, 100 - _NEAREST_PERCENTILE)
    farthest = 1 / np.percentile(known, _NEAREST_PERCENTILE)
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    corners = [(1 - PULL) * _depth_at(scene, point, farthest) + PULL * nearest for point in project(homography, square)]
    v, u = np.mgrid[box.slices]
    seen = np.linalg.inv(homography) @ np.stack([u.ravel(), v.ravel(), np.ones(u.size)])
    s, t = (np.clip(seen[axis] / seen[2], 0, 1).reshape(u.shape) for axis in (0, 1))
    depth = (1 - s) * ((1 - t) * corners[0] + t * corners[3]) + s * ((1 - t) * corners[1] + t * corners[2])
    inverse: Float64 = 1 / depth
    return inverse


def _depth_at(scene: Float64, point: Float64, farthest: float) -> float:
    """Return the scene's depth at the pixel next to a point; the farthest known where none is known."""
    column, row = (int(np.clip(round(at), 0, side - 1)) for at, side in zip(point, scene.shape[::-1], strict=True))
    inverse = float(scene[row, column])
    return 1 / inverse if np.isfinite(inverse) and inverse > 0 else farthest
