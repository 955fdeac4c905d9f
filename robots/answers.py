"""A picture's depth in; the messages that are published of it out: depth, its CameraInfo, points in space."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..engine.depth.depth import Depth
from ..engine.terms import DepthEncoding
from .messages.depth_image import depth_image, values_of
from .messages.points import cloud_message
from .messages.types import CameraInfo, Header, Image, PointCloud2
from .views import Picture, View


@dataclass(frozen=True, slots=True)
class Messages:
    """What is published of a picture; `info` and `points` are None where they are not asked for."""

    depth: Image
    info: CameraInfo | None
    points: PointCloud2 | None


def seen(depth: Depth, view: View | None) -> Depth:
    """Return a depth that is unknown where the camera saw nothing."""
    if view is None or view.inside is None:
        return depth
    return replace(depth, values=np.where(view.inside, depth.values, np.float32(np.nan)))


def messages_of(
    depth: Depth,
    picture: Picture | None,
    view: View | None,
    header: Header,
    *,
    encoding: DepthEncoding,
    info: bool,
    points: bool,
) -> Messages:
    """Return the messages of a depth, all with the header of its picture.

    Args:
        picture: Gives the points their colours.
        view: None if there is no camera; then there is no CameraInfo.
        encoding: Of metric depth.
        info, points: Whether there is a CameraInfo, and a cloud of points, beside the depth.

    Raises:
        InputError: 16UC1 or points are asked for depth without a unit.
    """
    image = depth_image(depth, header, encoding=encoding)
    camera = view.info if info and view is not None else None
    if not points:
        return Messages(image, camera, None)
    known = replace(depth, valid=np.isfinite(values_of(depth)))  # neither sky nor what is beyond the range
    return Messages(image, camera, cloud_message(known.cloud(image=picture), header))
