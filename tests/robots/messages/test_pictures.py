"""Compressed images give the picture of their file; depth among them is refused."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from made_bags import compressed_message, image_message, picture
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.engine.images.limits import Limits
from depthrt.robots.messages.pictures import IMAGE_TYPES, picture_of


def encoded(pixels: NDArray[Any], suffix: str) -> bytes:
    return cv2.imencode(suffix, pixels)[1].tobytes()


def test_a_raw_image_is_the_picture_that_it_holds() -> None:
    assert np.array_equal(picture_of(image_message(picture(0), "bgr8")), picture(0))


@pytest.mark.parametrize(
    "format", ["png", "bgr8; png compressed bgr8", "rgb8; png compressed bgr8", "rgb8;png compressed "]
)
def test_the_order_of_colours_is_the_files_own_whatever_the_format_says(format: str) -> None:
    assert np.array_equal(picture_of(compressed_message(encoded(picture(1), ".png"), format)), picture(1))


def test_a_jpeg_is_what_opencv_decodes() -> None:
    data = encoded(picture(2), ".jpg")
    expected: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    for format in ("jpeg", "bgr8; jpeg compressed bgr8"):
        assert np.array_equal(picture_of(compressed_message(data, format)), expected)


def test_16_bits_and_gray_become_8_bits_and_colour() -> None:
    data = encoded(picture(3)[..., 0].astype(np.uint16) * 257, ".png")
    found = picture_of(compressed_message(data, "mono16; png compressed "))
    assert np.array_equal(found, np.repeat(picture(3)[..., :1], 3, axis=2))


@pytest.mark.parametrize("encoding", ["bayer_rggb8", "bayer_rggb16"])
def test_a_compressed_mosaic_becomes_colour(encoding: str) -> None:
    blue, green, red = 20, 90, 200
    mosaic = np.tile(np.array([[red, green], [green, blue]], np.uint8), (8, 8))
    data = encoded(mosaic.astype(np.uint16) * 257 if encoding.endswith("16") else mosaic, ".png")
    found = picture_of(compressed_message(data, f"{encoding}; png compressed "))
    assert np.array_equal(found, np.broadcast_to(np.array([blue, green, red], np.uint8), (16, 16, 3)))


@pytest.mark.parametrize(
    ("format", "complaint"),
    [
        ("32FC1; compressedDepth png", "which is depth, expected a picture"),
        ("16UC1; png compressed ", "'16UC1' found, which is depth"),
        ("nv24; jpeg compressed bgr8", "'nv24' found"),
    ],
)
def test_depth_and_unknown_encodings_are_refused(format: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        picture_of(compressed_message(encoded(picture(0), ".png"), format))


@pytest.mark.parametrize("data", [b"", b"no picture at all", encoded(picture(0), ".jpg")[:200]])
def test_damaged_files_are_refused_in_a_line(data: bytes) -> None:
    with pytest.raises(InputError) as error:
        picture_of(compressed_message(data, "jpeg"))
    assert "\n" not in str(error.value)


def test_the_limits_count_for_compressed_images() -> None:
    with pytest.raises(InputError, match="expected at most 100"):
        picture_of(compressed_message(encoded(picture(0), ".png"), "png"), limits=Limits(max_pixels=100))


def test_the_types_are_those_of_sensor_msgs() -> None:
    assert set(IMAGE_TYPES) == {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"}
