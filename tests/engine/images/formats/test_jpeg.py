"""A JPEG without its end marker is whole if all its pixels are there, and is cut if a bit of them is missing."""

from __future__ import annotations

import io
import logging
import re
import struct

import cv2
import numpy as np
import pytest
from made_image import Pixels, crop_of_photo, packed
from PIL import Image
from refusal import refusal

from depthrt.engine.images.formats.jpeg import ending, read_jpeg
from depthrt.engine.images.read import read_image

KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "baseline": ("RGB", {}),
    "full chroma": ("RGB", {"subsampling": 0, "quality": 95}),
    "progressive": ("RGB", {"progressive": True}),
    "restarts": ("RGB", {"restart_marker_blocks": 1}),
    "a restart a row": ("RGB", {"restart_marker_rows": 1}),
    "progressive, restarts": ("RGB", {"progressive": True, "restart_marker_blocks": 5}),
    "gray": ("L", {}),
    "CMYK": ("CMYK", {}),
}


def decoded(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_is_whole_without_its_marker_and_cut_without_a_byte_of_its_pixels(kind: str) -> None:
    mode, options = KINDS[kind]
    data = packed(crop_of_photo(), "JPEG", mode, **options)
    expected, found = decoded(data), read_jpeg(data)
    assert (found.height_px, found.width_px) == (60, 90) and ending(data, found, decoded) == "marked"
    boundaries = [len(data) - match.start() for match in re.finditer(rb"\xff[\xd0-\xd7\xda]", data)]
    for cut in sorted({1, 2, 3, 4, 5, 6, 7, 9, 20, 100, *boundaries[-12:]}):
        short = data[:-cut]
        if len(data) - cut < found.last_scan_at - 200:
            continue
        verdict = ending(short, read_jpeg(short), decoded)
        if verdict == "cut":
            assert cut > 2, cut
        else:
            assert np.array_equal(decoded(short.rstrip(b"\xff") + b"\xff\xd9"), expected), cut


@pytest.mark.parametrize("kind", ["baseline", "progressive", "restarts"])
@pytest.mark.parametrize("padding", [b"", bytes(500)])
def test_a_photograph_without_its_last_two_bytes_is_read_with_a_note(
    kind: str, padding: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    mode, options = KINDS[kind]
    data = packed(crop_of_photo(), "JPEG", mode, **options)
    assert np.array_equal(read_image(data[:-2] + padding), read_image(data))
    assert caplog.messages == ["depthrt: the image: its end is missing, its pixels are all there"]
    assert "it is cut short" in refusal(lambda: read_image(data[:-9]))


COMPANY = {
    "a damaged thumbnail list": (0xE2, b"MPF\0II*\0\xff\xff\xff\xff"),
    "damaged EXIF": (0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40),
    "EXIF of another kind": (0xE1, b"Exif\0\0nonsense"),
    "damaged XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta"),
    "a damaged colour profile": (0xE2, b"ICC_PROFILE\0\x05\x02" + bytes(9)),
    "damaged Photoshop records": (0xED, b"Photoshop 3.0\0" + b"8BIM\x04" * 3),
    "a comment that is no text": (0xFE, bytes(range(256))),
    "a short JFIF record": (0xE0, b"JFIF\0"),
    "a short Adobe record": (0xEE, b"Adobe"),
    "an unknown record": (0xEB, b"depth map \xff\xd9 and more"),
}


@pytest.mark.parametrize("name", COMPANY)
def test_what_stands_beside_the_pixels_of_a_jpeg_does_no_harm(name: str) -> None:
    kind, content = COMPANY[name]
    data = packed(crop_of_photo(), "JPEG")
    odd = data[:2] + struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content + data[2:]
    shown = cv2.imdecode(np.frombuffer(odd, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None and np.array_equal(read_image(odd), shown)


def test_pixels_that_are_not_square_are_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthrt.engine.images.read._said", set())
    caplog.set_level(logging.WARNING)
    data = packed(crop_of_photo(), "JPEG", dpi=(204, 98))
    for _ in range(2):
        assert read_image(data).shape == (60, 90, 3)
    (message,) = caplog.messages
    assert "its pixels are not square (204 to 98 a length, across and down), they are read as they are" in message
    read_image(packed(crop_of_photo(), "JPEG", dpi=(72, 72)))
    assert len(caplog.messages) == 1
