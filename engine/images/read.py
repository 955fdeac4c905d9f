"""A still image in, the (H, W, 3) uint8 BGR array that cv2.imread gives out, or an error of one line."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..system.files import USE_STDIN, check_named, open_file
from ..system.first_bytes import ImageFormat
from .formats.decode import decode
from .formats.jpeg import END as JPEG_END
from .formats.png import END as PNG_END
from .formats.tiff import has_loose_alpha, is_unusual, white_is_zero
from .formats.webp import with_own_size
from .header import NO_END, Header, damaged, find_flaw, open_pillow, read_header
from .limits import _MIB, DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

STDIN = "-"
_ALPHA_DROPPED = "its alpha is dropped"
_OPAQUE = 255
_said: set[str] = set()  # kinds of notes, in this process

logger = logging.getLogger("depthrt")

_BAND_ROWS = 64  # converted at once
_PART_BYTES = 16 * _MIB  # read at once from a stream


def read_image(source: str | Path | bytes | BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC or AVIF image.

    8-bit pixels are those of cv2.imread; 16-bit pixels are divided by 257 and rounded. EXIF orientation is applied,
    alpha is dropped, gray and palette become colour. Of an animation the first frame is read.

    Args:
        source: A path, "-" for standard input, the bytes of a file, or a binary stream.
        limits: Largest file and image.

    Returns:
        (H, W, 3) uint8, BGR, [0, 255].

    Raises:
        InputError: The source is missing, not an image, damaged, cut short or over a limit.
    """
    data, name = _read_bytes(source, limits)
    header = read_header(data, name)
    limits.check_shape(header.height_px, header.width_px, name)
    if flaw := find_flaw(data, header):
        raise damaged(name, header.format, flaw)
    if NO_END in header.notes:
        data += JPEG_END if header.jpeg is not None else PNG_END
    elif header.format == "WEBP":
        data = with_own_size(data)
    image = _DECODERS.get(header.format, _decode_opencv)(data, header, name)
    _say_notes(data, header, name)
    return image


def _say_notes(data: bytes, header: Header, name: str) -> None:
    """Warn of what is read in another way than a viewer shows it: of each kind once, of a missing end always."""
    for note in header.notes:
        if note == NO_END:
            logger.warning("depthrt: %s: %s", name, note)
        else:
            _say_once(note.partition(" (")[0], f"depthrt: {name}: {note}")
    if header.has_alpha and _ALPHA_DROPPED not in _said and _is_transparent(data, header):
        _say_once(_ALPHA_DROPPED, f"depthrt: {name}: {_ALPHA_DROPPED}")


def _say_once(kind: str, message: str) -> None:
    if kind not in _said:
        _said.add(kind)
        logger.warning("%s (said of the first such image only)", message)


def _is_transparent(data: bytes, header: Header) -> bool:
    """Whether any pixel of a file with alpha is not opaque; decodes it again."""
    if header.picture is not None:  # decoded by now
        return bool(np.asarray(header.picture.convert("RGBA"))[..., 3].min() < _OPAQUE)
    try:
        pixels = decode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return False
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 4:
        return False
    return bool(pixels[..., 3].min() < np.iinfo(pixels.dtype).max)


def _read_bytes(source: str | Path | bytes | BinaryIO, limits: Limits) -> tuple[bytes, str]:
    """Return the bytes of a source, up to the limit, and its name for messages."""
    if isinstance(source, str):
        check_named(source, "image")
    if isinstance(source, (str, Path)) and str(source) != STDIN:
        return _read_path(Path(source), limits), str(source)
    if isinstance(source, bytes):
        data, name = source, "the image"
    elif isinstance(source, (str, Path)):
        if sys.stdin is None:
            raise InputError("standard input is closed, expected an image there; give a file or a pipe")
        data, name = _read_stream(sys.stdin.buffer, "standard input", limits), "standard input"
    elif callable(getattr(source, "read", None)):
        data, name = _read_stream(source, "the stream", limits), "the stream"
    else:
        raise InputError(f"image source: {type(source).__name__} found, expected a path, bytes or a binary stream")
    return _checked(data, name, limits), name


def _read_stream(stream: BinaryIO, name: str, limits: Limits) -> bytes:
    """Read a stream to its end or to a byte past the limit, in parts, so that a large limit reserves no memory."""
    parts, left = [], limits.max_file_bytes + 1
    while left > 0:
        part = stream.read(min(left, _PART_BYTES))
        if not isinstance(part, bytes):
            raise InputError(f"{name} gives {type(part).__name__}, expected bytes; open it in binary mode")
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _read_path(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a file, up to the limit."""
    try:
        with open_file(path, expected="an image file", advice=USE_STDIN) as file:
            limits.check_file(os.fstat(file.fileno()).st_size, str(path))
            data = _read_stream(file, str(path), limits)  # a file of the system has no size, so its bytes are counted
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist, expected an image file; check the path") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}; check its rights") from error
    return _checked(data, str(path), limits)


def _checked(data: bytes, name: str, limits: Limits) -> bytes:
    limits.check_file(len(data), name)
    if not data:
        raise InputError(f"{name} is empty (0 bytes), expected an image; copy or save it again")
    return data


def _decode_opencv(data: bytes, header: Header, name: str) -> NDArray[np.uint8]:
    """Decode with OpenCV, so that the pixels are those of cv2.imread."""
    try:
        pixels = decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise damaged(name, header.format, error.err or "OpenCV refuses it") from error
    if pixels is None:
        mode = "" if header.picture is None else f" {header.picture.mode}"
        raise damaged(name, header.format, f"its{mode} pixels cannot be decoded")
    if pixels.dtype == np.uint16:
        return _to_8_bits(pixels, header)
    if pixels.dtype != np.uint8:
        raise damaged(name, header.format, f"its pixels are {pixels.dtype}, expected 8 or 16 bits")
    return np.asarray(pixels, np.uint8)


def _to_8_bits(pixels: NDArray[np.generic], header: Header) -> NDArray[np.uint8]:
    """Divide pixels of 16 bits by 257 and round: 65535 becomes 255, exactly."""
    image = np.empty(pixels.shape, np.uint8)
    for first in range(0, len(pixels), _BAND_ROWS):
        band = pixels[first : first + _BAND_ROWS].astype(np.uint32)
        image[first : first + _BAND_ROWS] = (band + 128) // 257
    if header.pages and white_is_zero(header.pages[0].tags):  # OpenCV reads 16 bits as if it were not
        np.subtract(255, image, out=image)
    return image


def _decode_tiff(data: bytes, header: Header, name: str) -> NDArray[np.uint8]:
    """Decode with OpenCV, or with Pillow what OpenCV cannot: some tiles, 2 and 4 bits, alpha beside the colours."""
    tags = header.pages[0].tags
    if not has_loose_alpha(tags):
        try:
            return _decode_opencv(data, header, name)
        except InputError:
            if not is_unusual(tags):
                raise  # it is damaged, of which Pillow's libtiff prints lines
    return _decode_pillow(data, replace(header, picture=_opened("TIFF", data, name)), name)


def _opened(format: ImageFormat, data: bytes, name: str) -> ImageFile:
    try:
        return open_pillow(format, data)
    except ValueError as error:
        raise damaged(name, format, str(error)) from error


def _decode_pillow(data: bytes, header: Header, name: str) -> NDArray[np.uint8]:
    """Decode with Pillow the formats that only newer releases of OpenCV read."""
    from PIL import Image, ImageOps

    assert header.picture is not None  # read_header opened it with Pillow
    try:
        rgb = np.asarray(ImageOps.exif_transpose(header.picture).convert("RGB"))  # (H, W, 3)
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:
        raise damaged(name, header.format, str(error)) from error
    return np.ascontiguousarray(rgb[..., ::-1])


def _decode_heif(data: bytes, header: Header, name: str) -> NDArray[np.uint8]:
    """Decode HEIC; libheif turns the picture upright itself, so its EXIF orientation is ignored."""
    import pillow_heif

    try:
        pixels = np.asarray(pillow_heif.open_heif(io.BytesIO(data)).to_pillow().convert("RGB"))  # (H, W, 3)
    except (OSError, SyntaxError, ValueError, RuntimeError, EOFError) as error:
        raise damaged(name, header.format, str(error)) from error
    return np.ascontiguousarray(pixels[..., ::-1])


_DECODERS: dict[str, Callable[[bytes, Header, str], NDArray[np.uint8]]] = {
    "TIFF": _decode_tiff,
    "GIF": _decode_pillow,
    "AVIF": _decode_pillow,
    "HEIF": _decode_heif,
}
