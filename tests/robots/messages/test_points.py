"""A cloud's message holds each pixel's point in the image's order, with its colour."""

from __future__ import annotations

import numpy as np
import pytest
from made_bags import header, picture
from numpy.typing import NDArray

from depthrt.engine.depth.cloud import PointCloud
from depthrt.robots.messages.points import cloud_message
from depthrt.robots.messages.types import PointCloud2, decode, encode

POINTS = np.arange(48 * 64 * 3, dtype=np.float32).reshape(48, 64, 3)


def read(message: PointCloud2) -> NDArray[np.void]:
    """Read a cloud as a subscriber does: through its bytes, by its fields."""
    found = decode(bytes(encode(message)), PointCloud2)
    assert {field.datatype for field in found.fields} == {7} and found.row_step == found.point_step * found.width
    dtype = np.dtype([(field.name, "<f4") for field in found.fields])
    assert dtype.itemsize == found.point_step and [field.offset for field in found.fields] == [
        dtype.fields[name][1] for name in dtype.names or () if dtype.fields
    ]
    return found.data.view(dtype).reshape(found.height, found.width)


def test_points_and_colours_come_back_pixel_by_pixel() -> None:
    found = read(cloud_message(PointCloud(POINTS, picture(0)), header(0)))
    assert np.array_equal(np.stack([found[axis] for axis in "xyz"], axis=2), POINTS)
    bgr0 = np.ascontiguousarray(found["rgb"]).view(np.uint8).reshape(48, 64, 4)
    assert np.array_equal(bgr0[..., :3], picture(0)) and not bgr0[..., 3].any()


@pytest.mark.parametrize("hole", [False, True])
def test_a_cloud_with_holes_is_not_dense(hole: bool) -> None:
    points = POINTS.copy()
    if hole:
        points[3, 4] = np.nan
    message = cloud_message(PointCloud(points), header(2))
    assert message.is_dense == (not hole) and message.header == header(2)
    assert np.array_equal(read(message)["z"], points[..., 2], equal_nan=True)
