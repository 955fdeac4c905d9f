"""Points in space in, a sensor_msgs/PointCloud2 out: organised as the image is, NaN where there is no point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.cloud import PointCloud, pixels_of
from ...engine.depth.depth import Depth
from ...engine.depth.obstacles.gate import ObstacleGate
from .depth_image import values_of
from .types import Header, PointCloud2, PointField

_BYTES = 4  # of a field


def points_of_depth(
    depth: Depth, picture: NDArray[np.uint8] | None, header: Header, *, gate: ObstacleGate | None = None
) -> PointCloud2:
    """Return the points of metric depth, without the sky and what is beyond the model's range.

    Args:
        depth: With its camera.
        picture: (H, W, 3) uint8 BGR, for the colours.
        header: The image's own.
        gate: Keeps obstacles only; None keeps all.

    Raises:
        NoFloor: The gate finds no floor in the depth.
        InputError: The depth is not metric, or no camera is known.
    """
    known = replace(depth, valid=np.isfinite(values_of(depth)))
    return cloud_message((known if gate is None else gate.apply(known)).cloud(image=picture), header)


def cloud_message(cloud: PointCloud, header: Header) -> PointCloud2:
    """Return the message of a cloud; a colour is the bits of a float32, as rviz takes it."""
    pixels = pixels_of(cloud)
    height, width = pixels.shape
    names = pixels.dtype.names or ()
    fields = [PointField(name, number * _BYTES, PointField.FLOAT32, 1) for number, name in enumerate(names)]
    data = pixels.view(np.uint8).reshape(-1)
    return PointCloud2(
        header, height, width, fields, False, pixels.itemsize, width * pixels.itemsize, data, bool(cloud.valid.all())
    )
