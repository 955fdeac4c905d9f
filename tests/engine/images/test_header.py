"""Headers say format and size without a pixel being decoded, and whether a file is whole."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from made_image import Pixels, crop_of_photo, packed, packed_cv2, packed_heic
from refusal import refusal
from tiny_model import PHOTOS

from depthrt.engine.images.header import find_flaw, read_header
from depthrt.engine.images.read import read_image
from depthrt.engine.system.first_bytes import ImageFormat

HEADERS: dict[str, tuple[ImageFormat, Callable[[Pixels], bytes]]] = {
    "JPEG": ("JPEG", lambda image: packed(image, "JPEG")),
    "PNG": ("PNG", lambda image: packed(image, "PNG")),
    "lossy WebP": ("WEBP", lambda image: packed(image, "WEBP")),
    "lossless WebP": ("WEBP", lambda image: packed(image, "WEBP", lossless=True)),
    "WebP with alpha": ("WEBP", lambda image: packed(image, "WEBP", "RGBA", exif=b"Exif\0\0")),
    "TIFF": ("TIFF", lambda image: packed(image, "TIFF")),
    "big-endian TIFF": ("TIFF", lambda image: packed_cv2(".tif", image)),
    "BMP": ("BMP", lambda image: packed(image, "BMP")),
    "GIF": ("GIF", lambda image: packed(image, "GIF")),
    "AVIF": ("AVIF", lambda image: packed(image, "AVIF")),
    "HEIC": ("HEIF", packed_heic),
}


@pytest.fixture(scope="module")
def crop() -> Pixels:
    return crop_of_photo()


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_has_format_and_size_and_a_whole_file_no_flaw(kind: str, crop: Pixels) -> None:
    format, pack = HEADERS[kind]
    data = pack(crop)
    header = read_header(data, "a file")
    assert (header.format, header.height_px, header.width_px) == (format, 60, 90)
    assert find_flaw(data, header) is None


@pytest.mark.parametrize(
    ("kind", "bytes_short"),
    [("JPEG", 5), ("JPEG", 60), ("lossy WebP", 1), ("lossy WebP", 60), ("TIFF", 1), ("TIFF", 60)],
)
def test_a_file_that_lacks_its_last_bytes_is_cut_short(kind: str, bytes_short: int, crop: Pixels) -> None:
    _, pack = HEADERS[kind]
    data = pack(crop)[:-bytes_short]
    assert find_flaw(data, read_header(data, "a file")) == "it is cut short"


@pytest.mark.parametrize("kind", [b"VP8X", b"VP8L", b"VP8 "])
def test_the_largest_webp_sizes_are_read(kind: bytes) -> None:
    fields = {
        b"VP8X": bytes(4) + (16_776_215).to_bytes(3, "little") + (255).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + (16_383 | 16_383 << 14).to_bytes(4, "little"),
        b"VP8 ": bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383),
    }[kind]
    sizes = {b"VP8X": (256, 16_776_216), b"VP8L": (16_384, 16_384), b"VP8 ": (16_383, 16_383)}
    header = read_header(b"RIFF\0\0\0\0WEBP" + kind + bytes(4) + fields, "a file")
    assert (header.height_px, header.width_px) == sizes[kind]


@pytest.mark.parametrize(
    ("brands", "format"),
    [
        (b"avif\0\0\0\0avifmif1", "AVIF"),
        (b"mif1\0\0\0\0mif1avif", "AVIF"),
        (b"heic\0\0\0\0mif1heic", "HEIF"),
        (b"mif1\0\0\0\0mif1heic", "HEIF"),
    ],
)
def test_the_brands_of_a_container_decide_its_format(brands: bytes, format: str) -> None:
    message = refusal(lambda: read_header(b"\0\0\0\x18ftyp" + brands, "a file"))
    assert f"a file is a damaged or unusual {format} file" in message


CUT: dict[str, Callable[[Pixels], bytes]] = {
    "JPEG": lambda image: packed(image, "JPEG"),
    "progressive JPEG": lambda image: packed(image, "JPEG", progressive=True),
    "PNG": lambda image: packed(image, "PNG"),
    "palette PNG": lambda image: packed(image, "PNG", "P"),
    "WebP": lambda image: packed(image, "WEBP"),
    "TIFF": lambda image: packed(image, "TIFF"),
    "TIFF with its directory behind": lambda image: packed_cv2(".tif", image),
    "LZW TIFF": lambda image: packed(image, "TIFF", compression="tiff_lzw"),
    "BMP": lambda image: packed(image, "BMP"),
    "GIF": lambda image: packed(image, "GIF"),
    "AVIF": lambda image: packed(image, "AVIF"),
    "HEIC": packed_heic,
}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", CUT)
def test_a_truncated_image_is_refused_in_one_line(kind: str, share: float, crop: Pixels) -> None:
    data = CUT[kind](crop)
    assert read_image(data).shape == crop.shape
    message = refusal(lambda: read_image(data[: int(len(data) * share)]))
    assert "is a damaged or unusual" in message


def test_a_jpeg_cut_in_the_middle_is_called_cut_short() -> None:
    data = (PHOTOS / "coffee.jpg").read_bytes()
    assert "it is cut short" in refusal(lambda: read_image(data[: len(data) // 2]))


def test_the_end_of_a_thumbnail_is_not_taken_for_the_end_of_the_jpeg(crop: Pixels) -> None:
    small, large = packed(crop[:8, :8], "JPEG"), packed(crop, "JPEG", quality=95)
    segment = b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small
    data = large[:2] + segment + large[2:]
    assert np.array_equal(read_image(data), read_image(large))
    assert "it is cut short" in refusal(lambda: read_image(data[:-60]))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "WEBP"])
def test_bytes_behind_the_end_do_no_harm(format: str, crop: Pixels) -> None:
    data = packed(crop, format)
    assert np.array_equal(read_image(data + b"camera maker's notes \xff\xd8\xff" * 9), read_image(data))


def test_a_flipped_bit_in_a_png_is_found(crop: Pixels) -> None:
    data = bytearray(packed(crop, "PNG"))
    data[len(data) // 2] ^= 1
    assert "its chunk IDAT is cut short or has a wrong check sum" in refusal(lambda: read_image(bytes(data)))


def test_a_tiff_whose_places_are_no_numbers_is_cut_short(crop: Pixels) -> None:
    data = bytearray(packed(crop, "TIFF"))
    (entry,) = [at for at in range(len(data) - 12) if data[at : at + 4] == struct.pack("<HH", 279, 4)]  # strip counts
    data[entry + 2] = 2  # text
    assert "is cut short" in refusal(lambda: read_image(bytes(data)))
