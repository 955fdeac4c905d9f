"""Points in space in, a sensor_msgs/PointCloud2 out: organised as the image is, NaN where there is no point."""

from __future__ import annotations

import numpy as np

from ...engine.depth.cloud import PointCloud, pixels_of
from .types import Header, PointCloud2, PointField

_BYTES = 4  # of a field


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
