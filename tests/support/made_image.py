"""Images of tests, packed as files of every format."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image
from tiny_model import PHOTOS

Pixels = NDArray[np.uint8]

ORIENTATION = 274  # Source: EXIF 2.32, tag 0x0112


def crop_of_photo() -> Pixels:
    """Return a colourful piece of a photograph without symmetry, (60, 90, 3) uint8 BGR."""
    photo = cv2.imread(str(PHOTOS / "astronaut.jpg"))
    assert photo is not None
    return np.ascontiguousarray(photo[60:120, 190:280], np.uint8)


def packed(image: Pixels, format: str, mode: str = "RGB", /, **options: object) -> bytes:
    """Write a BGR image with Pillow, in any of its modes."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image[..., ::-1])).convert(mode).save(file, format, **options)
    return file.getvalue()


def packed_heic(image: Pixels, **options: object) -> bytes:
    """Write a BGR image as HEIC."""
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(np.ascontiguousarray(image[..., ::-1]))).save(file, **options)
    return file.getvalue()


def packed_cv2(suffix: str, image: NDArray[Any]) -> bytes:
    """Write an image of any number of channels and bits with OpenCV."""
    done, data = cv2.imencode(suffix, image)
    assert done
    return data.tobytes()


def exif_of(orientation: int) -> Image.Exif:
    """Return EXIF data that turn a picture."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def mean_levels(image: Pixels, other: Pixels) -> float:
    """Return the mean difference of two images of one size, in 8-bit levels."""
    assert image.shape == other.shape
    return float(np.abs(image.astype(int) - other).mean())
