"""The messages of a bag in, steps of the work out: an image with its camera, and the messages that go with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ..engine.errors import InputError
from .messages.types import CameraInfo, CompressedImage, Image, decode
from .reading.bag import Record

MOST_COPIED_BYTES = 8 << 20  # of messages that wait for the next image


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the work.

    Args:
        copied: Messages that are written as they are.
        record: Of the image; None at the end of a bag, or if many messages come without an image.
        image: The image; None if it cannot be read.
        camera: The CameraInfo that counts for the image; None if there is none.
        error: Why the image cannot be read.
    """

    copied: tuple[Record, ...]
    record: Record | None = None
    image: Image | CompressedImage | None = None
    camera: CameraInfo | None = None
    error: InputError | None = None


class Steps:
    """An iterator over the steps of a bag.

    The CameraInfo of an image is that of the same stamp, which may come a moment later; else the last before it, else
    the first of the bag.

    Args:
        image_topic, image_type: Of the images.
        camera_topic: Of their CameraInfo; None for none.
        copied: Topics whose messages are copied.
        first_camera: The first CameraInfo of the bag.
    """

    def __init__(
        self,
        records: Iterable[Record],
        *,
        image_topic: str,
        image_type: type[Image] | type[CompressedImage],
        camera_topic: str | None = None,
        copied: Collection[str] = (),
        first_camera: CameraInfo | None = None,
    ) -> None:
        self._records = records
        self._image_topic, self._image_type, self._camera_topic = image_topic, image_type, camera_topic
        self._copied = copied
        self._camera = first_camera
        self._waiting: Step | None = None  # an image whose CameraInfo may come yet
        self._held: list[Record] = []  # messages to copy
        self._held_bytes = 0

    def __iter__(self) -> Iterator[Step]:
        """Yield each step."""
        for record in self._records:
            if record.topic in self._copied:
                self._held.append(record)
                self._held_bytes += len(record.data)
            if record.topic == self._camera_topic:
                yield from self._take_camera(record)
            elif record.topic == self._image_topic:
                yield from self._take_image(record)
            if self._held_bytes > MOST_COPIED_BYTES:
                yield from self._let_go()
                yield Step(self._take_held())
        yield from self._let_go()
        if self._held:
            yield Step(self._take_held())

    def _take_camera(self, record: Record) -> Iterator[Step]:
        try:
            camera = decode(record.data, CameraInfo)
        except InputError:
            return  # the one before counts
        waiting = self._waiting
        if waiting is not None and waiting.image is not None and camera.header.stamp == waiting.image.header.stamp:
            self._waiting = Step(waiting.copied, waiting.record, waiting.image, camera)
            yield from self._let_go()
        self._camera = camera

    def _take_image(self, record: Record) -> Iterator[Step]:
        yield from self._let_go()
        try:
            image = decode(record.data, self._image_type)
        except InputError as error:
            yield Step(self._take_held(), record, error=error)
            return
        self._waiting = Step(self._take_held(), record, image, self._camera)
        is_sure = self._camera_topic is None or (
            self._camera is not None and self._camera.header.stamp == image.header.stamp
        )
        if is_sure:
            yield from self._let_go()

    def _let_go(self) -> Iterator[Step]:
        """Yield the image that waits."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            yield waiting

    def _take_held(self) -> tuple[Record, ...]:
        held, self._held, self._held_bytes = tuple(self._held), [], 0
        return held
