"""An image message, raw or compressed, in; its picture (H, W, 3) uint8 BGR out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.images.limits import DEFAULT_LIMITS, Limits
from ...engine.images.read import read_image
from .encodings import ENCODINGS, check_encoding, pixels_to_bgr, to_bgr
from .types import CompressedImage, Image

IMAGE_TYPES: dict[str, type[Image] | type[CompressedImage]] = {
    kind.__msgtype__: kind for kind in (Image, CompressedImage)
}


def picture_of(message: Image | CompressedImage, *, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Return the picture of an image message.

    Returns:
        (H, W, 3) uint8, BGR.

    Raises:
        InputError: It is not a picture, is damaged or is over a limit.
    """
    return to_bgr(message, limits=limits) if isinstance(message, Image) else _decompress(message, limits)


def _decompress(message: CompressedImage, limits: Limits) -> NDArray[np.uint8]:
    """Return the picture of a file in a message.

    The format is that of image_transport, "bgr8; jpeg compressed bgr8", or the file's kind alone, "jpeg". What is
    compressed is in OpenCV's order of colours, whatever the first word is; a mosaic of colours is compressed as gray.
    """
    first = message.format.partition(";")[0].strip()
    if "compresseddepth" in message.format.lower():
        raise InputError(f"format {message.format!r:.60} found, which is depth, expected a picture; give another topic")
    is_encoding = ";" in message.format
    if is_encoding:
        check_encoding(first)
    image = read_image(message.data.tobytes(), limits=limits)
    if is_encoding and first.startswith("bayer"):
        return pixels_to_bgr(np.ascontiguousarray(image[..., 0]), ENCODINGS[first.replace("16", "8")])
    return image
