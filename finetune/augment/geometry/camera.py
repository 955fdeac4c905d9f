"""The camera of a frame in pixels, by the layout of its data set; it decides how pasted rectangles look, not depth."""

from __future__ import annotations

import math

import numpy as np

from ....bench.datasets.hypersim_cameras import HYPERSIM_FOCAL_PX, HYPERSIM_WIDTH_PX, Matrix
from .plane import Camera

_VKITTI2_FOCAL_PX, _VKITTI2_WIDTH_PX = 725.0087, 1242  # Source: Virtual KITTI 2.0.3, intrinsic.txt
_ASSUMED_FOV_RAD = math.radians(60)  # of the longer side, where nothing is known


def camera_of(layout: str | None, size_px: tuple[int, int], own: Matrix | None = None) -> Camera:
    """Return K (3, 3) of a depth map.

    Args:
        layout: Of the data set.
        size_px: (h, w).
        own: Hypersim's matrix of the scene, which turns [u, v, 1] into a ray; None for the standard camera.
    """
    height, width = size_px
    if own is not None:
        return _from_matrix(own, size_px)
    if layout == "hypersim":
        focal_px = HYPERSIM_FOCAL_PX * width / HYPERSIM_WIDTH_PX
    elif layout == "vkitti2":
        focal_px = _VKITTI2_FOCAL_PX * width / _VKITTI2_WIDTH_PX
    else:
        focal_px = max(size_px) / 2 / math.tan(_ASSUMED_FOV_RAD / 2)
    return np.array([[focal_px, 0, (width - 1) / 2], [0, focal_px, (height - 1) / 2], [0, 0, 1.0]])


def _from_matrix(matrix: Matrix, size_px: tuple[int, int]) -> Camera:
    """Return K of Hypersim's matrix; a tilt of the lens, under which K would change from pixel to pixel, is left out.

    u grows to the right and v upwards, both from -1 to 1; the rays have y up and z backwards.
    """
    height, width = size_px
    from_px = np.array([[2 / width, 0, 1 / width - 1], [0, -2 / height, 1 - 1 / height], [0, 0, 1]])
    rays = np.diag([1.0, -1.0, -1.0]) @ matrix @ from_px
    rays = rays / rays[2, 2]
    rays[2] = (0, 0, 1)
    return np.asarray(np.linalg.inv(rays), np.float64)
