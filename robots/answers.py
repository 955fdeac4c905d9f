"""A picture's depth in; the messages that are published of it out: depth, its CameraInfo, points in space."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from ..engine.depth.depth import Depth
from ..engine.depth.obstacles.gate import ObstacleGate
from ..engine.errors import InputError, NoFloor
from ..engine.terms import MEANINGS, DepthEncoding, Kind
from .messages.depth_image import check_depth_encoding, depth_image, values_of
from .messages.points import cloud_message
from .messages.types import CameraInfo, Header, Image, PointCloud2
from .views import Picture, View

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Messages:
    """What is published of a picture.

    Args:
        info, points: None where they are not asked for.
        no_floor: Why there are no points, although they are asked for; "" if there are.
        note: Which points a gate kept, and where the floor is; "" without a gate.
    """

    depth: Image
    info: CameraInfo | None
    points: PointCloud2 | None
    no_floor: str = ""
    note: str = ""


def check_wishes(kind: Kind, *, encoding: DepthEncoding, points: bool, gate: ObstacleGate | None) -> None:
    """Refuse what depth of a kind cannot be published as, and options that do not go together.

    Raises:
        InputError: 16UC1 or points are asked for depth without a unit, or a gate without points.
    """
    check_depth_encoding(encoding, kind)
    if gate is not None and not points:
        raise InputError("--gate found without --points, expected both; the gate chooses points")
    if points and not MEANINGS[kind].unit:
        raise InputError(
            f"--points found, and the model gives {MEANINGS[kind].name}, which has no metres; use a metric model"
        )


def warn_of_no_floor(reason: str) -> None:
    """Say why a picture has no points; once is enough for a run."""
    logger.warning("depthrt: images without a floor get no points: %s", reason)


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
    gate: ObstacleGate | None = None,
) -> Messages:
    """Return the messages of a depth, all with the header of its picture.

    Args:
        picture: Gives the points their colours.
        view: None if there is no camera; then there is no CameraInfo.
        encoding: Of metric depth.
        info, points: Whether there is a CameraInfo, and a cloud of points, beside the depth.
        gate: Keeps only the points of obstacles; a picture without a floor then has none. None keeps all.

    Raises:
        InputError: 16UC1 or points are asked for depth without a unit.
    """
    image = depth_image(depth, header, encoding=encoding)
    camera = view.info if info and view is not None else None
    if not points:
        return Messages(image, camera, None)
    known = replace(depth, valid=np.isfinite(values_of(depth)))  # neither sky nor what is beyond the range
    if gate is None:
        return Messages(image, camera, cloud_message(known.cloud(image=picture), header))
    try:
        obstacles = gate.apply(known)
    except NoFloor as error:
        return Messages(image, camera, None, no_floor=str(error))
    cloud = cloud_message(obstacles.cloud(image=picture), header)
    return Messages(image, camera, cloud, note=obstacles.provenance.notes[-1])
