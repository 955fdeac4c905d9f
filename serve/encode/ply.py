"""Options of a request in, the camera of its cloud of points out; and the refusal of depth without metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.depth import Depth
from ...engine.depth.intrinsics import Intrinsics
from ...engine.terms import MEANINGS, Kind
from ..decode.options import Options
from ..refusal import Refusal, unprocessable

PLY = "application/x-ply"


def read_camera(options: Options, sent_px: tuple[int, int], image_px: tuple[int, int]) -> Intrinsics:
    """Return the camera of an image that may have been shrunk.

    Args:
        options: Focal length and principal point in px of the image as it was sent, or a field of view.
        sent_px: (H, W) as it was sent.
        image_px: (H, W) of the depth.

    Raises:
        Refusal: 422 if the client gave neither a focal length nor a field of view.
    """
    height, width = image_px
    if options.fov_deg is not None:
        return Intrinsics.from_fov(options.fov_deg, height, width)
    if options.focal_px is None:
        raise unprocessable("no_camera", "a point cloud needs a camera: give fx (and fy, cx, cy), or fov")
    sent = Intrinsics(
        options.focal_px,
        options.fy_px or options.focal_px,
        (sent_px[1] - 1) / 2 if options.cx_px is None else options.cx_px,
        (sent_px[0] - 1) / 2 if options.cy_px is None else options.cy_px,
        sent_px,
    )
    return sent.scaled(height, width)


def no_metres(kind: Kind) -> Refusal:
    """Return the refusal of depth that has no metres."""
    return unprocessable(
        "not_metric", f"the model gives {MEANINGS[kind].name}, which has no points in space; use a metric model"
    )


def encode_ply(depth: Depth, image: NDArray[np.uint8], camera: Intrinsics) -> bytes:
    """Return the points of all pixels with a depth: x right, y down, z forward, in metres; with the image's colours.

    Args:
        depth: Metric.
        image: (H, W, 3) uint8 BGR, of the depth's size.
        camera: Of the image.

    Raises:
        Refusal: 422 if the depth is of another kind, which has no metres.
    """
    if depth.unit != "m":
        raise no_metres(depth.kind)
    return depth.cloud(camera, image=image).encode("ply")
