"""Depth in, a sensor_msgs/Image and the topic that it belongs to out.

Metric depth is 32FC1 in metres: sky, and what lies at the model's largest depth, is +Inf; a pixel without depth is NaN;
or 16UC1 in millimetres, 0 where there is none. Source: ROS REP 117 and 118. Other kinds of depth are 32FC1 without a
unit under another name, NaN where there is none; nobody can take them for metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.depth import Depth
from ...engine.depth.write import to_codes
from ...engine.errors import InputError
from ...engine.terms import MEANINGS, DepthEncoding, Kind
from .types import Header, Image

_COMPRESSED = "/compressed"  # the last part of a compressed image's topic, by image_transport


def namespace_of(image_topic: str) -> str:
    """Return the namespace of a camera by its image's topic: "/front" of "/front/image_raw/compressed"."""
    return image_topic.removesuffix(_COMPRESSED).rpartition("/")[0]


def depth_topic(image_topic: str, kind: Kind) -> str:
    """Return the topic of the depth of an image."""
    space = namespace_of(image_topic)
    if MEANINGS[kind].unit:
        return f"{space}/depth/image_rect"
    return f"{space}/{MEANINGS[kind].name.replace(' ', '_').replace('-', '_')}"  # inverse_depth


def info_topic(namespace: str) -> str:
    """Return the topic of the CameraInfo in a camera's namespace."""
    return f"{namespace}/camera_info"


def points_topic(namespace: str) -> str:
    """Return the topic of the points in space in a namespace with depth."""
    return f"{namespace}/points"


def check_depth_encoding(encoding: DepthEncoding, kind: Kind) -> None:
    """Raise InputError for whole millimetres of depth that has no unit."""
    if encoding == "16UC1" and not MEANINGS[kind].unit:
        raise InputError(
            f"16UC1, which is whole millimetres, found for {MEANINGS[kind].name}, which has no unit; leave it out "
            "(32FC1), or use a metric model"
        )


def depth_image(depth: Depth, header: Header, *, encoding: DepthEncoding = "32FC1") -> Image:
    """Return the message of a depth.

    Args:
        header: The image's own, which becomes the depth's: its stamp and its frame.
        encoding: Millimetres in 16UC1 are for metric depth only; those beyond 65.535 m become 0.

    Raises:
        InputError: 16UC1 is asked for depth without a unit.
    """
    check_depth_encoding(encoding, depth.kind)
    if encoding == "16UC1":
        codes = to_codes(depth.values, depth.valid, depth.kind, None)[0].astype("<u2", copy=False)
        return _image(codes, header, encoding)
    return _image(values_of(depth).astype("<f4", copy=False), header, encoding)


def values_of(depth: Depth) -> NDArray[np.float32]:
    """Return the values of a 32FC1 image of a depth, (H, W) float32."""
    values = np.where(depth.valid, depth.values, np.float32(np.nan))
    if depth.unit:
        far = ~depth.valid & (depth.values > 0)  # of the sky, to which the model gives a far value
        if depth.max_depth_m is not None:
            far |= depth.values >= np.float32(depth.max_depth_m)
        values[far] = np.inf
    return values


def _image(pixels: NDArray[np.generic], header: Header, encoding: DepthEncoding) -> Image:
    height, width = pixels.shape
    data = np.ascontiguousarray(pixels).view(np.uint8).reshape(-1)
    return Image(header, height, width, encoding, 0, width * pixels.itemsize, data)
