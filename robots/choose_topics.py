"""The topics of a bag in; which of them hold the images, and which their camera, out."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.errors import InputError
from .messages.depth_image import info_topic, namespace_of
from .messages.pictures import IMAGE_TYPES
from .messages.types import CameraInfo
from .reading.bag import Topic

_NOT_PICTURES = ("depth", "disparity", "mask", "theora", "ir", "infra")  # in names of topics with images
_MOST_NAMED = 8  # topics in a message


def choose_image_topic(topics: Mapping[str, Topic], wanted: str | None) -> Topic:
    """Return the topic whose images get depth.

    Args:
        wanted: Its name; None takes the only camera, raw before compressed.

    Raises:
        InputError: There is no such topic, it holds no images, or several cameras are there.
    """
    if wanted is not None:
        return _wanted(topics, wanted)
    found = [topic for topic in topics.values() if topic.type in IMAGE_TYPES and topic.messages]
    pictures = [topic for topic in found if not _is_other(topic.name)] or found
    if not pictures:
        raise InputError(f"no images found on {_named(list(topics))}, expected a topic of {_types()}; check the bag")
    raw = {topic.name for topic in pictures}
    pictures = [topic for topic in pictures if topic.name.removesuffix("/compressed") not in raw - {topic.name}]
    if len(pictures) > 1:
        names = _named([topic.name for topic in pictures])
        raise InputError(f"{len(pictures)} topics with images found, {names}, expected one; name it with --image")
    return pictures[0]


def choose_camera_topic(topics: Mapping[str, Topic], image: Topic, wanted: str | None) -> Topic | None:
    """Return the topic with the CameraInfo of the images; None if there is none.

    Args:
        wanted: Its name; None takes `camera_info` in the namespace of the images.

    Raises:
        InputError: The wanted topic does not exist or has another type.
    """
    name = wanted if wanted is not None else info_topic(namespace_of(image.name))
    found = topics.get(name)
    if found is not None and found.type == CameraInfo.__msgtype__ and found.messages:
        return found
    if wanted is None:
        return None
    what = "no such topic" if found is None else f"{found.messages} messages of {found.type}"
    raise InputError(
        f"--camera-info {wanted}: {what} found, expected {CameraInfo.__msgtype__}; the bag has "
        f"{_named([topic.name for topic in topics.values() if topic.type == CameraInfo.__msgtype__])}"
    )


def _wanted(topics: Mapping[str, Topic], name: str) -> Topic:
    found = topics.get(name)
    if found is not None and found.type in IMAGE_TYPES and found.messages:
        return found
    what = "no such topic" if found is None else f"{found.messages} messages of {found.type}"
    images = [topic.name for topic in topics.values() if topic.type in IMAGE_TYPES]
    raise InputError(f"--image {name}: {what} found, expected images ({_types()}); the bag has {_named(images)}")


def _is_other(name: str) -> bool:
    """Whether a topic's name says that its images are not pictures."""
    words = name.lower().replace("_", "/").split("/")
    return any(word.startswith(other) if len(other) > 2 else word == other for word in words for other in _NOT_PICTURES)


def _named(names: list[str]) -> str:
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(names[:_MOST_NAMED]) + rest) or "none"


def _types() -> str:
    return " or ".join(IMAGE_TYPES)
