"""An open bag, a request and a contract in; what is read and which topics are written, decided once, out."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

from ..engine.depth.camera_info import read_camera_info
from ..engine.errors import InputError
from ..engine.modelfile.contract import Contract
from ..engine.terms import MEANINGS, Kind
from .answers import check_wishes
from .choose_topics import choose_camera_topic, choose_image_topic
from .messages.camera import intrinsics_of
from .messages.depth_image import depth_topic, info_topic, points_topic
from .messages.types import CameraInfo, Image, Message, PointCloud2, decode, definition
from .reading.bag import Bag, Topic
from .request import BagRequest
from .views import sees_straight, warn_of_distortion

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run reads and writes.

    Args:
        image: Topic of the images.
        camera: Topic of their CameraInfo; None if there is none, or it is not calibrated.
        first_camera: The first message on it.
        kind: Of the depth.
        rectified: Whether the images are without distortion when the model sees them.
        depth, info, points: Topics that are written; None for those that are not.
        copied: Topics of the source that are written as they are.
    """

    image: Topic
    camera: Topic | None
    first_camera: CameraInfo | None
    kind: Kind
    rectified: bool
    depth: Topic
    info: Topic | None
    points: Topic | None
    copied: tuple[Topic, ...]

    @property
    def read(self) -> set[str]:
        """Return the names of the topics that are read."""
        topics = (self.image, self.camera, *self.copied)
        return {topic.name for topic in topics if topic is not None}

    @property
    def written(self) -> list[Topic]:
        """Return the topics that are written."""
        return [topic for topic in (self.depth, self.info, self.points, *self.copied) if topic is not None]


def make_plan(bag: Bag, request: BagRequest, contract: Contract) -> Plan:
    """Return the plan of a run.

    Raises:
        InputError: Topics are missing, or the model gives depth that the request has no use for.
    """
    image = choose_image_topic(bag.topics, request.image)
    camera = choose_camera_topic(bag.topics, image, request.camera_info)
    first = _first_camera(bag, camera) if camera is not None else None
    if first is None:
        camera = None
    kind = contract.kind_for(None if first is None else 1.0)
    check_wishes(kind, encoding=request.encoding, points=request.points, gate=request.gate)
    _check_camera(request, image, first)
    is_metric = bool(MEANINGS[kind].unit)
    name = depth_topic(image.name, kind)
    beside = name.rpartition("/")[0]
    rectified = first is not None and sees_straight(first, image.name, rectify=request.rectify)
    if first is not None and is_metric and not rectified:
        warn_of_distortion(image.name)
    return _without_twins(
        Plan(
            image,
            camera,
            first,
            kind,
            rectified,
            _topic(name, Image, image),
            _topic(info_topic(beside), CameraInfo, camera) if camera is not None and is_metric else None,
            _topic(points_topic(beside), PointCloud2, image) if request.points else None,
            tuple(bag.topics.values()) if request.copy else (),
        )
    )


def _first_camera(bag: Bag, topic: Topic) -> CameraInfo | None:
    """Return the first CameraInfo of a topic; None if it is of a camera that is not calibrated."""
    with closing(_cameras(bag, topic.name)) as records:
        first = next(records, None)
    if first is None:
        return None
    try:
        intrinsics_of(first, read_camera_info(first).image_px, rectified=False)
    except InputError as error:
        logger.warning("depthrt: %s is not used: %s", topic.name, error)
        return None
    return first


def _cameras(bag: Bag, name: str) -> Generator[CameraInfo]:
    for record in bag.records([name]):
        yield decode(record.data, CameraInfo)


def _check_camera(request: BagRequest, image: Topic, camera: CameraInfo | None) -> None:
    """Refuse what needs a camera if there is none."""
    wanted = "--points" if request.points else "--rectify" if request.rectify else None
    if wanted is not None and camera is None:
        raise InputError(
            f"{wanted} found, and no CameraInfo of a calibrated camera for {image.name}; name its topic with "
            "--camera-info"
        )


def _topic(name: str, kind: type[Message], like: Topic) -> Topic:
    """Return a topic that is written, with the QoS profiles of one that is read."""
    return Topic(name, kind.__msgtype__, definition(kind), like.qos, 0)


def _without_twins(plan: Plan) -> Plan:
    """Return a plan that copies no topic with a name under which depth is written."""
    own = {topic.name for topic in (plan.depth, plan.info, plan.points) if topic is not None}
    for topic in plan.copied:
        if topic.name in own and topic.messages:
            logger.warning("depthrt: %s is not copied: the new bag has its own messages there", topic.name)
    return replace(plan, copied=tuple(topic for topic in plan.copied if topic.name not in own))
