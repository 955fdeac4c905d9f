"""A PNG is refused for what makes its picture and for nothing beside it."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from made_image import crop_of_photo, packed
from refusal import refusal

from depthrt.engine.images.formats.png import read_png
from depthrt.engine.images.read import read_image


def chunk(kind: bytes, content: bytes, *, wrong_by: int = 0) -> bytes:
    sum_ = (zlib.crc32(kind + content) + wrong_by) % 2**32
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", sum_)


COMPANY = {
    "an unknown chunk": chunk(b"dpTh", bytes(20)),
    "an unknown chunk with a wrong sum": chunk(b"dpTh", bytes(20), wrong_by=1),
    "text with a wrong sum": chunk(b"tEXt", b"Title\0photo", wrong_by=1),
    "damaged text": chunk(b"zTXt", b"no separator"),
    "a damaged colour profile": chunk(b"iCCP", b"name\0\0nonsense"),
    "damaged EXIF": chunk(b"eXIf", b"II*\0\xff\xff"),
    "a time that is none": chunk(b"tIME", b"\xff" * 7),
    "a density that is none": chunk(b"pHYs", b"\0" * 9),
    "a gamma of nothing": chunk(b"gAMA", bytes(4)),
}


@pytest.mark.parametrize("name", COMPANY)
def test_what_stands_beside_the_pixels_of_a_png_does_no_harm(name: str) -> None:
    data = packed(crop_of_photo(), "PNG")
    odd = data[:33] + COMPANY[name] + data[33:]
    shown = cv2.imdecode(np.frombuffer(odd, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None and np.array_equal(read_image(odd), shown)
    assert np.array_equal(read_image(odd + b"camera maker's notes"), shown)


@pytest.mark.parametrize("bytes_short", [1, 4, 12])
def test_a_png_without_its_end_is_read_with_a_note(bytes_short: int, caplog: pytest.LogCaptureFixture) -> None:
    data = packed(crop_of_photo(), "PNG")
    if bytes_short == 12:
        assert np.array_equal(read_image(data[:-12]), crop_of_photo())
        assert caplog.messages == ["depthrt: the image: its end is missing, its pixels are all there"]
    else:
        assert "its chunk IEND is cut short" in refusal(lambda: read_image(data[:-bytes_short]))
    for cut in (13, 17, 30, 500):
        assert "is cut short" in refusal(lambda: read_image(data[:-cut]))  # noqa: B023 (called at once)


def test_a_png_whose_pixels_lack_a_chunk_is_cut_short() -> None:
    data = packed(crop_of_photo(), "PNG")
    pixels = data[41 : data.index(b"IEND") - 8]
    halves = chunk(b"IDAT", pixels[:700]) + chunk(b"IDAT", pixels[700:])
    assert np.array_equal(read_image(data[:33] + halves), crop_of_photo())
    assert "it is cut short" in refusal(lambda: read_image(data[:33] + chunk(b"IDAT", pixels[:700])))


def test_the_pixels_of_a_cut_png_are_inflated_in_bounded_memory() -> None:
    header = struct.pack(">IIBBBBB", 9000, 9000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9000 * 27001), 1))
    tracemalloc.start()
    assert read_png(data).lacks_end
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25


def test_the_header_tells_size_alpha_frames_and_density() -> None:
    assert read_png(packed(crop_of_photo(), "PNG", dpi=(200, 100))).density == (7874, 3937)
    plain, alpha = (read_png(packed(crop_of_photo(), "PNG", mode)) for mode in ("RGB", "RGBA"))
    assert (plain.height_px, plain.width_px, plain.has_alpha, plain.is_animated) == (60, 90, False, False)
    assert alpha.has_alpha and read_png(packed(crop_of_photo(), "PNG", "P", transparency=3)).has_alpha
    wrong = packed(crop_of_photo(), "PNG")[:41] + b"?" * 20
    assert read_png(wrong).flaw is not None and read_png(wrong).density == (1, 1)
    with pytest.raises(ValueError, match="does not begin with its header"):
        read_png(b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b""))


@pytest.mark.parametrize(
    ("x", "y", "is_said"), [(100, 98, False), (98, 100, False), (1000, 979, True), (100, 0, False)]
)
def test_pixels_that_are_square_but_for_rounding_are_square(
    x: int, y: int, is_said: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthrt.engine.images.read._said", set())
    data = packed(crop_of_photo(), "PNG")
    read_image(data[:33] + chunk(b"pHYs", struct.pack(">IIB", x, y, 1)) + data[33:])
    assert [f"its pixels are not square ({x} to {y} a length" in message for message in caplog.messages] == [
        True
    ] * is_said
