"""An image file in, its format and size out, without decoding pixels; and whether the file is whole."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Literal

from ..errors import InputError
from .tiff import picture_flaw
from .tiff_tags import Page, ends_inside, read_pages, size_px

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

ImageFormat = Literal["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "HEIF", "AVIF"]

_MAGIC: tuple[tuple[bytes, ImageFormat], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"RIFF....WEBP", "WEBP"),
    (b"II\\*\0|MM\0\\*|II\\+\0|MM\0\\+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF8[79]a", "GIF"),
    (b"....ftyp(avif|avis)|....ftyp(mif1|msf1|miaf).{4,40}(avif|avis)", "AVIF"),
    (b"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1|heif)", "HEIF"),
)
_MAGIC_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _MAGIC)

# A marker that a length follows, or the end of the image; 00, 01, RST, SOI and fill bytes are none of these.
# Source: ITU-T T.81, annex B.1.1
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")
_JPEG_END = 0xD9

_CUT_SHORT = "it is cut short"


@dataclass(frozen=True, slots=True)
class Header:
    """Format and size of an image file.

    Args:
        format: Pillow's name of the format.
        height_px, width_px: Before EXIF orientation.
        picture: The file as Pillow opened it, pixels not decoded; None if the header is read without it.
        pages: Of a TIFF: the tags of its first pages.
    """

    format: ImageFormat
    height_px: int
    width_px: int
    picture: ImageFile | None = None
    pages: tuple[Page, ...] = ()


def read_header(data: bytes, name: str) -> Header:
    """Return the format and size of an image file.

    Args:
        data: The file's bytes.
        name: The file's name for messages.

    Raises:
        InputError: It is not an image, of an unknown format, or its header is damaged.
    """
    format = _format_of(data, name)
    if format == "WEBP":
        return _read_webp(data, name)
    if format == "HEIF":
        return _read_heif(data, name)
    if format == "TIFF":
        return _read_tiff(data, name)
    picture = open_pillow(format, data, name)
    width, height = picture.size  # Pillow's order
    return Header(format, height, width, picture)


def is_image(data: bytes) -> bool:
    """Whether the first bytes are those of an image of a known kind."""
    return any(pattern.match(data) for pattern, _ in _MAGIC_PATTERNS)


def find_flaw(data: bytes, header: Header) -> str | None:
    """Return what is wrong if a file is cut short or its check sums fail; None if it is whole.

    Some decoders paint the missing part gray. Check the limits first: a BMP is decoded here.
    """
    if header.format == "JPEG":
        return None if _jpeg_ends(data) else _CUT_SHORT
    if header.format == "WEBP":
        return None if len(data) >= _little(data, 4, 4) + 8 else _CUT_SHORT
    if header.format == "TIFF":
        return picture_flaw(tags := header.pages[0].tags) or (None if ends_inside(tags, len(data)) else _CUT_SHORT)
    try:
        if header.picture is not None and header.format == "PNG":
            header.picture.verify()  # the check sums of all chunks; inflates nothing
        elif header.picture is not None and header.format == "BMP":
            header.picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        return str(error)
    return None


def open_pillow(format: ImageFormat, data: bytes, name: str) -> ImageFile:
    """Read a header with Pillow's plugin for the format; no pixel is decoded.

    Image.open is not used, as its size check reads a module variable that belongs to the user's program.

    Raises:
        InputError: The header is damaged.
    """
    from PIL import Image

    try:
        return _plugin(format)(io.BytesIO(data))
    # Warnings are exceptions in programs that turn them into errors.
    except (SyntaxError, OSError, ValueError, RuntimeError, Warning, Image.DecompressionBombError) as error:
        raise damaged(name, format, str(error)) from error


def damaged(name: str, format: ImageFormat, reason: str) -> InputError:
    """Return the error for a file that begins like an image and cannot be decoded."""
    line = " ".join(reason.split())  # a reason of a library may have several lines
    return InputError(f"{name} is a damaged or unusual {format} file ({line}); copy it again, or save it as 8-bit PNG")


def _format_of(data: bytes, name: str) -> ImageFormat:
    """Return the format by the first bytes; the suffix may be wrong."""
    for pattern, format in _MAGIC_PATTERNS:
        if pattern.match(data):
            return format
    known = ", ".join(format for _, format in _MAGIC)
    raise InputError(f"{name} begins with {data[:8]!r}, which is not an image of a known kind; expected one of {known}")


def _plugin(format: ImageFormat) -> Callable[[BinaryIO], ImageFile]:
    """Return Pillow's class for a format."""
    stem = format.title()
    plugin: Callable[[BinaryIO], ImageFile] = getattr(import_module(f"PIL.{stem}ImagePlugin"), f"{stem}ImageFile")
    return plugin


def _jpeg_ends(data: bytes) -> bool:
    """Whether the first picture has its end-of-image marker; anything may follow."""
    at = 2
    while (marker := _JPEG_MARKER.search(data, at)) is not None:
        at = marker.end()
        if data[at - 1] == _JPEG_END:
            return True
        at += int.from_bytes(data[at : at + 2], "big")  # skips the segment, and a thumbnail in it
    return False


def _read_tiff(data: bytes, name: str) -> Header:
    try:
        pages = read_pages(data)
        height, width = size_px(pages[0].tags)
    except ValueError as error:
        raise damaged(name, "TIFF", str(error)) from error
    return Header("TIFF", height, width, pages=tuple(pages))


def _read_webp(data: bytes, name: str) -> Header:
    """Read a WebP header; Pillow would allocate the whole canvas.

    Source: RFC 9649, sections 2.5 to 2.7; RFC 6386, section 9.1.
    """
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    elif kind == b"VP8L":
        bits = _little(data, 21, 4)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    else:
        raise damaged(name, "WEBP", f"its first chunk is {kind!r}")
    return Header("WEBP", height, width)


def _read_heif(data: bytes, name: str) -> Header:
    import pillow_heif

    try:
        width, height = pillow_heif.open_heif(io.BytesIO(data)).size
    except (SyntaxError, OSError, ValueError, EOFError, RuntimeError, IndexError) as error:
        raise damaged(name, "HEIF", str(error)) from error
    return Header("HEIF", height, width)


def _little(data: bytes, at: int, length: int) -> int:
    return int.from_bytes(data[at : at + length], "little")
