"""The bytes of a sensor_msgs/Image in, the (H, W, 3) uint8 BGR array of depthrt out.

Source: ros2/common_interfaces sensor_msgs/include/sensor_msgs/image_encodings.hpp, for the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from .types import Image

_FULL_16 = 257  # 65535 becomes 255, as in engine.images.read


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the pixels of an encoding lie in memory.

    Args:
        channels: Numbers of a pixel.
        bits: Of a number, 8 or 16.
        to_bgr: OpenCV's code of the conversion; None if the pixels are BGR.
        rows: Stored rows of a row of pixels: more than 1 if the colours follow the brightness as a plane.
        even: Whether height and width, or the width alone, must be even.
    """

    channels: int
    bits: int
    to_bgr: int | None
    rows: float = 1.0
    even: tuple[bool, bool] = (False, False)


def _all() -> Mapping[str, Encoding]:
    found: dict[str, Encoding] = {}
    for bits in (8, 16):
        found[f"bgr{bits}"] = Encoding(3, bits, None)
        found[f"rgb{bits}"] = Encoding(3, bits, cv2.COLOR_RGB2BGR)
        found[f"bgra{bits}"] = Encoding(4, bits, cv2.COLOR_BGRA2BGR)
        found[f"rgba{bits}"] = Encoding(4, bits, cv2.COLOR_RGBA2BGR)
        found[f"mono{bits}"] = Encoding(1, bits, cv2.COLOR_GRAY2BGR)
        for pattern, code in _BAYER.items():
            found[f"bayer_{pattern}{bits}"] = Encoding(1, bits, code)
    found["8UC1"], found["8UC3"], found["8UC4"] = found["mono8"], found["bgr8"], found["bgra8"]  # OpenCV's own names
    found["uyvy"] = found["yuv422"] = Encoding(2, 8, cv2.COLOR_YUV2BGR_UYVY, even=(False, True))
    found["yuyv"] = found["yuv422_yuy2"] = Encoding(2, 8, cv2.COLOR_YUV2BGR_YUYV, even=(False, True))
    found["nv21"] = Encoding(1, 8, cv2.COLOR_YUV2BGR_NV21, rows=1.5, even=(True, True))
    found["nv12"] = Encoding(1, 8, cv2.COLOR_YUV2BGR_NV12, rows=1.5, even=(True, True))
    return found


# By the first two pixels of the first row and of the second. OpenCV's older names begin at the second row and column.
_BAYER = {
    "rggb": cv2.COLOR_BayerRGGB2BGR,
    "bggr": cv2.COLOR_BayerBGGR2BGR,
    "gbrg": cv2.COLOR_BayerGBRG2BGR,
    "grbg": cv2.COLOR_BayerGRBG2BGR,
}
ENCODINGS = _all()
_OF_DEPTH = ("16UC1", "32FC1")  # of pictures of one channel these are depth, which is not a picture


def check_encoding(name: str) -> Encoding:
    """Return how an encoding lies in memory.

    Raises:
        InputError: It is not a picture, or not one that is read; the message names it.
    """
    if name in ENCODINGS:
        return ENCODINGS[name]
    what = ", which is depth or a plain number, not a picture" if name in _OF_DEPTH else ""
    raise InputError(
        f"encoding {name!r:.60} found{what}, expected rgb, bgr, rgba, bgra, mono or bayer of 8 or 16 bits, uyvy, yuyv, "
        "nv12 or nv21; give another topic with --image, or convert it with image_proc"
    )


def to_bgr(message: Image, *, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Return the picture of a raw image; numbers of 16 bits are divided by 257 and rounded.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        InputError: The encoding is not read, the bytes do not fit the size, or the image is over a limit.
    """
    encoding = check_encoding(message.encoding)
    height, width = message.height, message.width
    limits.check_shape(height, width, "the image")
    for side, is_even, name in zip((height, width), encoding.even, ("height", "width"), strict=True):
        if is_even and side % 2:
            raise InputError(f"{name} {side} px found for encoding {message.encoding}, expected an even number")
    return pixels_to_bgr(_pixels(message, encoding), encoding)


def pixels_to_bgr(pixels: NDArray[Any], encoding: Encoding) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8, BGR, of pixels (rows, W) or (rows, W, channels), uint8 or uint16."""
    bgr = pixels if encoding.to_bgr is None else cv2.cvtColor(pixels, encoding.to_bgr)
    if bgr.dtype == np.uint16:
        return ((bgr.astype(np.uint32) + _FULL_16 // 2) // _FULL_16).astype(np.uint8)
    return np.ascontiguousarray(bgr, np.uint8)


def _pixels(message: Image, encoding: Encoding) -> NDArray[Any]:
    """Return the pixels of a message without the padding of its rows, in this machine's byte order."""
    rows = round(message.height * encoding.rows)
    row_bytes = message.width * encoding.channels * encoding.bits // 8
    if message.step < row_bytes or message.data.size < rows * message.step:
        raise InputError(
            f"step {message.step} and {message.data.size} bytes found, expected a step of {row_bytes} or more and "
            f"{rows} rows of it for {message.height}x{message.width} px (HxW) {message.encoding}; record again"
        )
    stored = np.ascontiguousarray(message.data[: rows * message.step].reshape(rows, message.step)[:, :row_bytes])
    if encoding.bits == 16:
        order = ">u2" if message.is_bigendian else "<u2"
        stored = stored.view(order).astype(np.uint16)
    return stored if encoding.channels == 1 else stored.reshape(rows, message.width, encoding.channels)
