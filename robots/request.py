"""What to do with a bag."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from ..engine.depth.obstacles.gate import ObstacleGate
from ..engine.images.limits import Limits
from ..engine.modelfile.shipped import DEFAULT
from ..engine.terms import DepthEncoding, Device


@dataclass(frozen=True, slots=True)
class BagRequest:
    """Which bag gets depth, and where it goes; the defaults are those of `depthrt bag`.

    Args:
        source: A rosbag2 (its folder, or a file of it) or a ROS 1 bag.
        output: Folder of the bag to write; it must not exist unless the run is resumed.
        model: A model file, or "default", the small model that comes with depthrt.
        image: Topic of the images; None takes the only camera.
        camera_info: Topic of their CameraInfo; None takes `camera_info` in the images' namespace.
        encoding: Of metric depth: "32FC1", metres, or "16UC1", whole millimetres.
        points: Also write the points in space of metric depth.
        gate: Of the points, keep only obstacles; None keeps all.
        copy: Also write all messages of the source.
        rectify: Take the lens's distortion out of the images first.
        device, threads, limits: As in `load`.
        resume: Go on with a bag that another run with the same options left unfinished.
    """

    source: str | Path
    _: KW_ONLY
    output: str | Path
    model: str | Path = DEFAULT
    image: str | None = None
    camera_info: str | None = None
    encoding: DepthEncoding = "32FC1"
    points: bool = False
    gate: ObstacleGate | None = None
    copy: bool = False
    rectify: bool = False
    device: Device = "auto"
    threads: int | None = None
    limits: Limits | None = None
    resume: bool = False
