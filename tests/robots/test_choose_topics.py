"""The only camera of a bag is found; with several cameras, or none, the message names what is there."""

from __future__ import annotations

import pytest

from depthrt import InputError
from depthrt.robots.choose_topics import choose_camera_topic, choose_image_topic
from depthrt.robots.messages.types import Definition
from depthrt.robots.reading.bag import Topic

IMAGE, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"


def topics(**kinds: object) -> dict[str, Topic]:
    """Return topics by name, `/` written as `__`; a type, or a type and a number of messages."""
    found = {}
    for key, kind in kinds.items():
        name = "/" + key.replace("__", "/")
        type, messages = kind if isinstance(kind, tuple) else (kind, 3)
        found[name] = Topic(name, str(type), Definition("", ""), (), messages)
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (topics(cam__image_raw=IMAGE, cam__camera_info=INFO, scan="other"), "/cam/image_raw"),
        (topics(cam__image_raw=IMAGE, cam__image_raw__compressed=COMPRESSED), "/cam/image_raw"),
        (topics(cam__image_raw=(IMAGE, 0), cam__image_raw__compressed=COMPRESSED), "/cam/image_raw/compressed"),
        (topics(cam__image_raw=IMAGE, cam__depth__image_rect_raw=IMAGE), "/cam/image_raw"),
        (
            topics(cam__color__image_raw=IMAGE, cam__infra1__image_raw=IMAGE, cam__ir__image=IMAGE),
            "/cam/color/image_raw",
        ),
        (topics(depth__image=IMAGE), "/depth/image"),
        (topics(fir__image=IMAGE), "/fir/image"),
    ],
)
def test_the_only_camera_is_taken_raw_before_compressed(found: dict[str, Topic], expected: str) -> None:
    assert choose_image_topic(found, None).name == expected


def test_several_cameras_are_named() -> None:
    with pytest.raises(InputError, match=r"2 topics .* found, /a/image, /b/image, expected one; name it with --image"):
        choose_image_topic(topics(a__image=IMAGE, b__image=IMAGE), None)


@pytest.mark.parametrize("found", [{}, topics(scan="other"), topics(a__image=(IMAGE, 0))])
def test_a_bag_without_images_is_refused(found: dict[str, Topic]) -> None:
    with pytest.raises(InputError, match="no images found on"):
        choose_image_topic(found, None)


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ("/none", "--image /none: no such topic found, expected images .*; the bag has /a/image, /b/image$"),
        ("/scan", "--image /scan: 3 messages of other found"),
        ("/b/image", "--image /b/image: 0 messages of sensor_msgs/msg/Image found"),
    ],
)
def test_a_wanted_topic_must_hold_images(wanted: str, complaint: str) -> None:
    found = topics(a__image=IMAGE, b__image=(IMAGE, 0), scan="other")
    assert choose_image_topic(found, "/a/image").name == "/a/image"
    with pytest.raises(InputError, match=complaint):
        choose_image_topic(found, wanted)


def test_a_camera_lies_beside_its_images_or_is_named() -> None:
    found = topics(a__image_raw__compressed=COMPRESSED, a__camera_info=INFO, other__camera_info=INFO, scan="other")
    image = found["/a/image_raw/compressed"]
    assert choose_camera_topic(found, image, None) == found["/a/camera_info"]
    assert choose_camera_topic(found, image, "/other/camera_info") == found["/other/camera_info"]
    for wrong, complaint in (("/none", "no such topic"), ("/scan", "3 messages of other")):
        with pytest.raises(
            InputError, match=rf"--camera-info {wrong}: {complaint} .*/a/camera_info, /other/camera_info"
        ):
            choose_camera_topic(found, image, wrong)


def test_a_camera_that_is_missing_is_none() -> None:
    found = topics(a__image=IMAGE, a__camera_info=(INFO, 0))
    assert choose_camera_topic(found, found["/a/image"], None) is None
