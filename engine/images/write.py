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
    check_image(image_bgr)
    suffix = Path(path).suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path}: suffix {suffix!r} found, expected one of {', '.join(WRITABLE_SUFFIXES)}")
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if suffix in (".jpg", ".jpeg") else []
    height, width = image_bgr.shape[:2]
    try:
        done, encoded = cv2.imencode(suffix, image_bgr, options)
    except cv2.error:
        done = False
    if not done:
        raise InputError(f"{path}: {suffix} cannot hold {height}x{width} px (HxW); write .png, or shrink the image")
    with atomic_path(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
