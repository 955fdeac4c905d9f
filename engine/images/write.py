"""An image in, a file out, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..system.files import atomic_path
from .limits import check_image

WRITABLE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
_JPEG_QUALITY = 95  # OpenCV's default today, fixed here against a change of it


def write_image(path: str | Path, image_bgr: NDArray[np.uint8]) -> None:
    """Write an image, whole or not at all, in the format of the path's suffix.

    Args:
        path: Ends in one of WRITABLE_SUFFIXES; an existing file is replaced.
        image_bgr: (H, W, 3) uint8, BGR.

    Raises:
        InputError: The suffix is unknown, the array is not an image, the format cannot hold it, or the disk refuses.
    """
    encoded = encode_image(image_bgr, Path(path).suffix, name=str(path))
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded)


def encode_image(image_bgr: NDArray[np.uint8], suffix: str, *, name: str = "the image") -> bytes:
    """Return the bytes of the file that write_image writes.

    Args:
        image_bgr: (H, W, 3) uint8, BGR.
        suffix: One of WRITABLE_SUFFIXES.
        name: Of the file, for errors.

    Raises:
        InputError: As write_image, except of the disk.
    """
    check_image(image_bgr)
    suffix = suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{name}: suffix {suffix!r} found, expected one of {', '.join(WRITABLE_SUFFIXES)}")
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
    height, width = image_bgr.shape[:2]
    try:
        done, encoded = cv2.imencode(suffix, image_bgr, options)
    except cv2.error:
        done = False
    if not done:
        raise InputError(f"{name}: {suffix} cannot hold {height}x{width} px (HxW); write .png, or shrink the image")
    return encoded.tobytes()
