"""Each image goes with the CameraInfo of its own stamp, and every copied message with one step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from made_bags import EXTRA, IMAGE, INFO, camera_message, header, image_message, messages, picture

from depthrt.robots import steps
from depthrt.robots.messages.types import CameraInfo, Image, encode
from depthrt.robots.reading.bag import Record
from depthrt.robots.steps import Step, Steps


def image(number: int) -> Record:
    return Record(IMAGE, number, encode(image_message(picture(number), "bgr8", number=number)))


def camera(number: int, *, focal: float | None = None) -> Record:
    info = camera_message(number)
    return Record(INFO, number, encode(replace(info, k=info.k if focal is None else info.k * focal)))


def made(
    *records: Record, first: CameraInfo | None = None, copied: set[str] | None = None, info: bool = True
) -> list[Step]:
    found = Steps(
        records,
        image_topic=IMAGE,
        image_type=Image,
        camera_topic=INFO if info else None,
        first_camera=first,
        copied=copied or set(),
    )
    return list(found)


def stamps(found: list[Step]) -> list[object]:
    return [None if step.camera is None else step.camera.header.stamp for step in found]


def test_the_camera_of_the_same_stamp_counts_before_or_after_its_image() -> None:
    found = made(image(0), camera(0), camera(1), image(1), image(2), camera(2))
    assert stamps(found) == [header(number).stamp for number in range(3)]
    assert [step.image.header for step in found if step.image is not None] == [header(number) for number in range(3)]


def test_without_a_camera_of_its_stamp_the_last_before_counts() -> None:
    assert stamps(made(camera(0), image(1), camera(5), image(6))) == [header(0).stamp, header(5).stamp]


def test_before_all_cameras_the_first_one_counts() -> None:
    assert stamps(made(image(1), camera(5), image(6), first=camera_message(5))) == [header(5).stamp, header(5).stamp]


def test_a_changed_camera_counts_from_its_own_image_on() -> None:
    found = made(camera(0), image(0), image(1), camera(1, focal=2.0), image(2))
    focal = [step.camera.k[0] for step in found if step.camera is not None]
    assert focal == [focal[0], 2 * focal[0], 2 * focal[0]]


def test_without_a_camera_topic_there_is_none_and_no_image_waits() -> None:
    seen: list[int] = []

    def records() -> Iterator[Record]:
        for number in range(2):
            seen.append(number)
            yield image(number)

    found = iter(Steps(records(), image_topic=IMAGE, image_type=Image))
    assert next(found).camera is None and seen == [0]


def test_a_damaged_image_is_a_step_with_its_error_and_a_damaged_camera_does_not_count() -> None:
    found = made(camera(0), Record(IMAGE, 1, b"noise"), Record(INFO, 2, b"noise"), image(3))
    assert found[0].error is not None and found[0].image is None and found[0].record is not None
    assert stamps(found[1:]) == [header(0).stamp]


def test_every_copied_message_is_in_one_step_in_its_order() -> None:
    records = [Record(one.topic, one.time_ns, encode(one.message)) for one in messages(3)]
    tail = Record(EXTRA, 9, encode(messages(1)[0].message))
    found = made(*records, tail, copied={EXTRA, INFO, IMAGE})
    assert [record for step in found for record in step.copied] == [*records, tail]
    assert len([step for step in found if step.record is not None]) == 3


def test_many_copied_messages_do_not_wait_for_an_image() -> None:
    most, steps.MOST_COPIED_BYTES = steps.MOST_COPIED_BYTES, 1000
    try:
        extra = Record(EXTRA, 0, bytes(600))
        found = made(image(0), *[extra] * 5, image(1), copied={EXTRA})
    finally:
        steps.MOST_COPIED_BYTES = most
    assert [len(step.copied) for step in found] == [0, 2, 2, 1]
    assert [step.record is not None for step in found] == [True, False, False, True]


def test_pixels_of_a_step_are_those_of_the_message() -> None:
    (step,) = made(image(3), info=False)
    assert isinstance(step.image, Image) and np.array_equal(step.image.data, picture(3).reshape(-1))
