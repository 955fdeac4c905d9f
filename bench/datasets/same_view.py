"""Whether a picture and its measured depth show the same view: sides of one proportion, and no unclear turn."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.WebPImagePlugin import WebPImageFile

from ...engine.errors import InputError
from ...engine.images.header import open_pillow, read_header
from ...engine.system.files import open_file

_ORIENTATION = 274  # EXIF tag; 1 is upright, 5 to 8 swap the sides. Source: Exif 2.3, 4.6.4
_UPRIGHT = 1
_WITH_ORIENTATION = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "AVIF", "WEBP")  # libheif turns the picture itself
_SWAPPED = range(5, 9)
_APART = 0.02  # of a side; sensors and pictures are cropped by some pixels, as ScanNet's 968x1296 and 480x640 px


class OtherView(InputError):
    """A picture, its depth and their masks do not show the same view."""


def check_same_view(path: Path, image: NDArray[np.uint8], depth_px: tuple[int, int]) -> None:
    """Raise OtherView if depth cannot be of the same view as a picture, or if that is unclear.

    A viewer turns a picture by its EXIF orientation, and so does read_image; depth files are not turned. Depth of the
    turned picture's proportion was made for it. If the sides do not tell, nothing does.

    Args:
        path: The picture.
        image: (H, W, 3), as read_image gives it.
        depth_px: (h, w) of its depth.
    """
    height, width = image.shape[:2]
    turn = _orientation(path)
    sizes = f"{path} is {height}x{width} px, its depth {depth_px[0]}x{depth_px[1]} (HxW)"
    if not _proportional((height, width), depth_px):
        turned = turn in _SWAPPED and _proportional((width, height), depth_px)
        cure = f"turn the depth as the EXIF orientation {turn} turns the picture" if turned else "crop one of them"
        raise OtherView(f"{sizes}, expected sides of one proportion; {cure}")
    if turn != _UPRIGHT and not (turn in _SWAPPED and not _proportional((width, height), depth_px)):
        raise OtherView(
            f"{sizes}; the EXIF orientation {turn} turns the picture, and the depth does not say whether it is turned "
            "too; save the picture upright, without the tag"
        )


def _proportional(picture_px: tuple[int, int], depth_px: tuple[int, int]) -> bool:
    """Whether two sizes differ by a scale, to a pixel of depth or _APART."""
    height, width = depth_px
    wanted_px = width * picture_px[0] / picture_px[1]
    other_px = height * picture_px[1] / picture_px[0]
    return abs(height - wanted_px) <= max(1.0, _APART * height) or abs(width - other_px) <= max(1.0, _APART * width)


def _orientation(path: Path) -> int:
    """Return the EXIF orientation of a picture that can be read; 1 for none."""
    with open_file(path) as file:
        data = file.read()
    format = read_header(data, str(path)).format
    if format not in _WITH_ORIENTATION:
        return _UPRIGHT
    try:
        picture = WebPImageFile(io.BytesIO(data)) if format == "WEBP" else open_pillow(format, data)
        found = picture.getexif().get(_ORIENTATION, _UPRIGHT)
    except ValueError:  # what stands beside the pixels is damaged
        return _UPRIGHT
    return found if found in range(1, 9) else _UPRIGHT
