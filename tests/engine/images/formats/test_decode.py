"""OpenCV decodes without a line of its own, and the user's log level comes back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import cv2
import numpy as np
import pytest
from made_image import crop_of_photo, packed, packed_cv2

from depthrt.engine.errors import InputError
from depthrt.engine.images.formats import decode as decode_module
from depthrt.engine.images.formats.decode import decode
from depthrt.engine.images.read import read_image

LOUD = 4  # OpenCV's level of information


@pytest.fixture
def _loud() -> Iterator[None]:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(LOUD)
    yield
    cv2.utils.logging.setLogLevel(level)


def damaged_files() -> list[bytes]:
    crop, random = crop_of_photo(), np.random.default_rng(0)
    files = [packed(crop, format) for format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")]
    files += [
        packed(crop, "JPEG", progressive=True),
        packed_cv2(".tif", crop),
        packed(crop, "TIFF", compression="jpeg"),
    ]
    broken = []
    for data in files:
        for _ in range(20):
            copy = bytearray(data)
            for at in random.integers(0, len(data), 4):
                copy[at] = random.integers(256)
            broken.append(bytes(copy))
    return broken


@pytest.mark.usefixtures("_loud")
def test_a_damaged_file_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for data in damaged_files():
        with suppress(InputError):
            read_image(data)
    lines = "".join(capfd.readouterr()).splitlines()
    assert not [line for line in lines if line.startswith("[")]  # as libjpeg and libpng print without OpenCV's log


@pytest.mark.usefixtures("_loud")
def test_the_log_level_comes_back_whichever_thread_ends_last() -> None:
    data = packed(crop_of_photo(), "JPEG")
    with ThreadPoolExecutor(4) as pool:
        shapes = {
            image.shape for image in pool.map(lambda _: decode(data, cv2.IMREAD_COLOR), range(40)) if image is not None
        }
    assert shapes == {(60, 90, 3)}
    assert cv2.utils.logging.getLogLevel() == LOUD
    assert decode(b"no picture", cv2.IMREAD_COLOR) is None
    assert cv2.utils.logging.getLogLevel() == LOUD


def test_a_child_that_was_forked_while_another_thread_decodes_is_neither_locked_nor_mute(_loud: None) -> None:
    decode_module._locks[0].acquire()  # as a thread of the parent holds it, which the child has not
    decode_module._loud.append(LOUD)
    cv2.utils.logging.setLogLevel(0)
    decode_module._after_fork()
    assert read_image(packed(crop_of_photo(), "PNG")).size and cv2.utils.logging.getLogLevel() == LOUD
