"""Encoded bytes in, an image (H, W, 3) uint8 BGR out; what is wrong with them decides the status."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.images.header import read_header
from ...engine.images.limits import Limits
from ...engine.images.read import read_image
from ...engine.system.first_bytes import HEAD_BYTES, IMAGE_FORMATS, image_format
from ..refusal import Refusal, unprocessable

Image = NDArray[np.uint8]


def decode_image(data: bytes, limits: Limits) -> Image:
    """Return the image of a file's bytes; its size is checked by its header, before pixels are decoded.

    Raises:
        Refusal: 415 if it is no image, 413 if it has too many pixels, 422 if it is too long and thin, or damaged.
    """
    if not data:
        raise unprocessable("no_image", "the image is empty")
    if image_format(data[:HEAD_BYTES]) is None:
        raise Refusal(415, "not_an_image", f"the file is not an image, expected one of {', '.join(IMAGE_FORMATS)}")
    damaged = unprocessable("damaged_image", "the image is damaged, cut short or of an unusual kind; save it again")
    try:
        header = read_header(data, "the image")
    except InputError:
        raise damaged from None
    check_size(header.height_px, header.width_px, limits)
    try:
        return read_image(data, limits=limits)
    except InputError:
        raise damaged from None


def check_size(height_px: int, width_px: int, limits: Limits) -> None:
    """Raise Refusal for an image that is empty or over a limit."""
    size = f"the image has {height_px}x{width_px} px (HxW)"
    if min(height_px, width_px) < 1:
        raise unprocessable("no_image", f"{size}, expected 1x1 or more")
    if height_px * width_px > limits.max_pixels:
        raise Refusal(413, "large_image", f"{size}, expected at most {limits.max_pixels} pixels; shrink it")
    if max(height_px, width_px) > limits.max_aspect * min(height_px, width_px):
        message = f"{size}, expected one side at most {limits.max_aspect:g} times the other; crop it"
        raise unprocessable("long_image", message)


def shrink(image: Image, max_side_px: int | None) -> Image:
    """Return an image whose longer side has at most max_side_px; None leaves it as it is."""
    height, width = image.shape[:2]
    longest = max(height, width)
    if max_side_px is None or longest <= max_side_px:
        return image
    size_px = (-(-height * max_side_px // longest), -(-width * max_side_px // longest))  # up: it gets no thinner
    return np.asarray(cv2.resize(image, size_px[::-1], interpolation=cv2.INTER_AREA), np.uint8)  # (w, h) for OpenCV
