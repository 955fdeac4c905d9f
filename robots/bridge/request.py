"""What the bridge takes and gives."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from ...engine.depth.obstacles.gate import ObstacleGate
from ...engine.errors import InputError
from ...engine.images.limits import Limits
from ...engine.modelfile.shipped import DEFAULT
from ...engine.terms import MEANINGS, DepthEncoding, Device, Kind
from ..answers import check_wishes
from ..messages.depth_image import depth_topic, info_topic, namespace_of, points_topic
from .dialect import check_topic

ROUTER = "tcp/localhost:7447"  # where rmw_zenoh's router listens
NODE_NAME = "depthrt_bridge"


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """Which topic gets depth, and where it goes; the defaults are those of `depthrt bridge`.

    Args:
        image: Topic of the images, raw or compressed.
        output: Topic of the depth; None takes the name that `depthrt bag` gives it.
        model: A model file, or "default", the small model that comes with depthrt.
        camera_info: Topic of the images' CameraInfo; None takes `camera_info` in their namespace.
        encoding: Of metric depth: "32FC1", metres, or "16UC1", whole millimetres.
        points: Also publish the points in space of metric depth.
        gate: Of the points, publish only obstacles; None publishes all.
        rectify: Take the lens's distortion out of the images first.
        domain: ROS domain.
        node: Name of the node that others see.
        humble: Whether the readers are those of ROS 2 Humble, whose topics have no hash of a type.
        connect: Where routers and peers of Zenoh are; () with no `listen` takes the router of this machine.
        listen: Where others may connect.
        zenoh_config: A file of Zenoh's settings, which has them instead.
        device, threads, limits: As in `load`.
    """

    image: str
    _: KW_ONLY
    output: str | None = None
    model: str | Path = DEFAULT
    camera_info: str | None = None
    encoding: DepthEncoding = "32FC1"
    points: bool = False
    gate: ObstacleGate | None = None
    rectify: bool = False
    domain: int = 0
    node: str = NODE_NAME
    humble: bool = False
    connect: tuple[str, ...] = ()
    listen: tuple[str, ...] = ()
    zenoh_config: Path | None = None
    device: Device = "auto"
    threads: int | None = None
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics.

    Args:
        image, camera: That are read.
        depth, info, points: That are published; None for those that are not.
    """

    image: str
    camera: str
    depth: str
    info: str | None
    points: str | None


def topics_of(request: BridgeRequest, kind: Kind) -> Topics:
    """Return the topics of a bridge whose model gives depth of a kind.

    Raises:
        InputError: The request asks for what such depth cannot be published as, a name is not one of a topic, depth
            without a unit would be published as depth, or a topic would be both read and published.
    """
    check_wishes(kind, encoding=request.encoding, points=request.points, gate=request.gate)
    image = check_topic(request.image, "--in")
    camera = check_topic(request.camera_info or info_topic(namespace_of(image)), "--camera-info")
    depth = check_topic(request.output or depth_topic(image, kind), "--out")
    is_metric = bool(MEANINGS[kind].unit)
    if not is_metric:
        _check_no_depth_in_name(request, depth, kind)
    beside = depth.rpartition("/")[0]
    found = Topics(
        image,
        camera,
        depth,
        info_topic(beside) if is_metric else None,
        points_topic(beside) if request.points else None,
    )
    for name in (found.depth, found.info, found.points):
        if name in (image, camera):
            raise InputError(
                f"--out {depth}: {name} would be read and published; give --out another namespace, such as "
                f"{depth_topic(image, kind)}"
            )
    return found


def _check_no_depth_in_name(request: BridgeRequest, depth: str, kind: Kind) -> None:
    """Refuse a topic whose name calls depth without a unit depth and nothing more."""
    name = MEANINGS[kind].name
    own = depth_topic(depth, kind).rpartition("/")[2]  # "inverse_depth"
    if "depth" in depth.replace(own, "").replace("_", "/").split("/"):
        raise InputError(
            f"--out {depth} found, and the model gives {name}, which is not in metres; leave --out out for "
            f"{depth_topic(request.image, kind)}, give a name without the word depth, or use a metric model"
        )
