"""An image file in, its format and size out, without decoding pixels; and whether the file is whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..modelfile.misplaced import misplaced
from ..system.first_bytes import HEAD_BYTES, IMAGE_FORMATS, ImageFormat, image_format
from .formats.jpeg import Jpeg, ending, read_jpeg
from .formats.png import read_png
from .formats.tiff import has_alpha, picture_flaw
from .formats.tiff_tags import Page, density_of, ends_inside, read_pages, size_px
from .formats.webp import read_webp

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

_CUT_SHORT = "it is cut short"
ONE_FRAME = "only its first frame is read; convert it to .mp4 for the others"
ONE_PAGE = "only its first page is read"
NO_END = "its end is missing, its pixels are all there"
_SAME_DENSITY = 0.02  # share by which pixels count as square; 72 to 71 dots is rounding


@dataclass(frozen=True, slots=True)
class Header:
    """Format and size of an image file, and what its header says about the rest.

    Args:
        format: Pillow's name of the format.
        height_px, width_px: Before EXIF orientation.
        flaw: What is wrong with the picture, None if its header says nothing bad.
        notes: What is read in another way than a viewer might show it.
        has_alpha: Whether it may have transparent pixels.
        picture: The file as Pillow opened it, pixels not decoded; None if the header is read without it.
        pages: Of a TIFF: the tags of its first pages.
        jpeg: Of a JPEG: its headers.
    """

    format: ImageFormat
    height_px: int
    width_px: int
    flaw: str | None = None
    notes: tuple[str, ...] = ()
    has_alpha: bool = False
    picture: ImageFile | None = None
    pages: tuple[Page, ...] = ()
    jpeg: Jpeg | None = None


def read_header(data: bytes, name: str) -> Header:
    """Return the format and size of an image file.

    Args:
        data: The file's bytes.
        name: The file's name for messages.

    Raises:
        InputError: It is not an image, of an unknown format, or its header is damaged.
    """
    format = _format_of(data, name)
    try:
        return _READERS.get(format, _read_pillow)(data, format)
    except (SyntaxError, OSError, ValueError, EOFError, RuntimeError, IndexError, Warning, MemoryError) as error:
        raise damaged(name, format, str(error)) from error


def find_flaw(data: bytes, header: Header) -> str | None:
    """Return what is wrong if a file is cut short or its check sums fail; None if it is whole.

    Some decoders paint the missing part gray. Check the limits first: a BMP, and a JPEG without its end, is decoded.
    """
    if header.jpeg is not None:
        return _CUT_SHORT if ending(data, header.jpeg, _decode_jpeg) == "cut" else None
    try:
        if header.picture is not None and header.format == "BMP":
            header.picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        return str(error)
    return header.flaw


def open_pillow(format: ImageFormat, data: bytes) -> ImageFile:
    """Read a header with Pillow's plugin for the format; no pixel is decoded.

    Image.open is not used, as its size check reads a module variable that belongs to the user's program.

    Raises:
        ValueError: The header is damaged.
    """
    from PIL import Image

    try:
        return _plugin(format)(io.BytesIO(data))
    # Warnings are exceptions in programs that turn them into errors.
    except (SyntaxError, OSError, RuntimeError, Warning, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def damaged(name: str, format: ImageFormat, reason: str) -> InputError:
    """Return the error for a file that begins like an image and cannot be decoded."""
    line = " ".join(reason.split())  # a reason of a library may have several lines
    return InputError(f"{name} is a damaged or unusual {format} file ({line}); copy it again, or save it as 8-bit PNG")


def _format_of(data: bytes, name: str) -> ImageFormat:
    """Return the format by the first bytes; the suffix may be wrong."""
    if format := image_format(data[:HEAD_BYTES]):
        return format
    other = misplaced(data[:HEAD_BYTES], name, expected="an image")
    if other:
        raise InputError(other)
    known = ", ".join(IMAGE_FORMATS)
    raise InputError(f"{name} begins with {data[:8]!r}, which is not an image of a known kind; expected one of {known}")


def _plugin(format: ImageFormat) -> Callable[[BinaryIO], ImageFile]:
    """Return Pillow's class for a format."""
    stem = format.title()
    plugin: Callable[[BinaryIO], ImageFile] = getattr(import_module(f"PIL.{stem}ImagePlugin"), f"{stem}ImageFile")
    return plugin


def _decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(open_pillow("JPEG", data))  # which prints nothing of damage


def _read_pillow(data: bytes, format: ImageFormat) -> Header:
    picture = open_pillow(format, data)
    width, height = picture.size  # Pillow's order
    notes = (ONE_FRAME,) if getattr(picture, "is_animated", False) else ()
    return Header(format, height, width, notes=notes, has_alpha=picture.has_transparency_data, picture=picture)


def _read_jpeg(data: bytes, format: ImageFormat) -> Header:
    jpeg = read_jpeg(data)
    notes: tuple[str, ...] = () if jpeg.is_ended else (NO_END,)
    notes += _density_note(jpeg.density)
    return Header(format, jpeg.height_px, jpeg.width_px, notes=notes, jpeg=jpeg)


def _read_png(data: bytes, format: ImageFormat) -> Header:
    png = read_png(data)
    notes = ((NO_END,) if png.lacks_end else ()) + ((ONE_FRAME,) if png.is_animated else ())
    notes += _density_note(png.density)
    return Header(format, png.height_px, png.width_px, flaw=png.flaw, notes=notes, has_alpha=png.has_alpha)


def _read_tiff(data: bytes, format: ImageFormat) -> Header:
    pages = tuple(read_pages(data))
    tags = pages[0].tags
    height, width = size_px(tags)
    flaw = picture_flaw(tags) or (None if ends_inside(tags, len(data)) else _CUT_SHORT)
    notes = ((ONE_PAGE,) if len(pages) > 1 else ()) + _density_note(density_of(tags))
    return Header(format, height, width, flaw=flaw, notes=notes, has_alpha=has_alpha(tags), pages=pages)


def _read_webp(data: bytes, format: ImageFormat) -> Header:
    webp = read_webp(data)
    flaw = None if webp.is_whole else _CUT_SHORT
    notes = (ONE_FRAME,) if webp.is_animated else ()
    return Header(format, webp.height_px, webp.width_px, flaw=flaw, notes=notes, has_alpha=webp.has_alpha)


def _read_heif(data: bytes, format: ImageFormat) -> Header:
    import pillow_heif

    found = pillow_heif.open_heif(io.BytesIO(data))
    width, height = found.size
    notes = (ONE_FRAME,) if len(found) > 1 else ()
    return Header(format, height, width, notes=notes, has_alpha=found.has_alpha)


def _density_note(density: tuple[int, int]) -> tuple[str, ...]:
    x, y = density
    if abs(x - y) <= _SAME_DENSITY * max(x, y):
        return ()
    return (f"its pixels are not square ({x} to {y} a length, across and down), they are read as they are",)


_READERS: dict[ImageFormat, Callable[[bytes, ImageFormat], Header]] = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "TIFF": _read_tiff,
    "WEBP": _read_webp,
    "HEIF": _read_heif,
}
