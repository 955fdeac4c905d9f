"""Images of every kind come in as cv2.imread would give them, or are refused in one line."""

from __future__ import annotations

import io
import os
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from made_image import Pixels, crop_of_photo, exif_of, mean_levels, packed, packed_cv2, packed_heic
from PIL import Image
from refusal import refusal

from depthrt.engine.errors import InputError
from depthrt.engine.images.header import Header
from depthrt.engine.images.limits import Limits, check_image
from depthrt.engine.images.read import _to_8_bits, read_image

PHOTOS = sorted(tiny_model.PHOTOS.glob("*.jpg"))
LOSSY_LEVELS = 6.0  # mean difference that HEIC, AVIF and GIF at their defaults stay well within on these 60x90 pixels
OTHER_FRAME_LEVELS = 30.0  # two different pictures differ by more than this


@pytest.fixture(scope="module")
def crop() -> Pixels:
    return crop_of_photo()


# --- exactness ----------------------------------------------------------------------------------

KINDS_OF_FILE: dict[str, tuple[str, str, dict[str, object]]] = {
    "baseline.jpg": ("JPEG", "RGB", {}),
    "progressive.jpg": ("JPEG", "RGB", {"progressive": True}),
    "full_chroma.jpg": ("JPEG", "RGB", {"subsampling": 0, "quality": 97}),
    "restarts.jpg": ("JPEG", "RGB", {"restart_marker_blocks": 2}),
    "gray.jpg": ("JPEG", "L", {}),
    "cmyk.jpg": ("JPEG", "CMYK", {}),
    "colour.png": ("PNG", "RGB", {}),
    "gray.png": ("PNG", "L", {}),
    "alpha.png": ("PNG", "RGBA", {}),
    "gray_alpha.png": ("PNG", "LA", {}),
    "palette.png": ("PNG", "P", {}),
    "palette_alpha.png": ("PNG", "P", {"transparency": 3}),
    "one_bit.png": ("PNG", "1", {}),
    "colour.bmp": ("BMP", "RGB", {}),
    "palette.bmp": ("BMP", "P", {}),
    "lossy.webp": ("WEBP", "RGB", {}),
    "lossless.webp": ("WEBP", "RGB", {"lossless": True}),
    "alpha.webp": ("WEBP", "RGBA", {"lossless": True}),
    "colour.tif": ("TIFF", "RGB", {}),
    "deflate.tif": ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    "cmyk.tif": ("TIFF", "CMYK", {}),
    "palette.tif": ("TIFF", "P", {}),
}


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_a_photograph_equals_cv2_imread(photo: Path) -> None:
    assert np.array_equal(read_image(photo), np.asarray(cv2.imread(str(photo))))


@pytest.mark.parametrize("name", KINDS_OF_FILE)
def test_every_8_bit_kind_equals_cv2_imread(name: str, crop: Pixels, tmp_path: Path) -> None:
    format, mode, options = KINDS_OF_FILE[name]
    path = tmp_path / name
    path.write_bytes(packed(crop, format, mode, **options))
    image = read_image(path)
    assert image.dtype == np.uint8
    assert image.shape == crop.shape
    assert np.array_equal(image, np.asarray(cv2.imread(str(path))))


def test_alpha_is_dropped_not_blended(crop: Pixels) -> None:
    picture = Image.fromarray(np.ascontiguousarray(crop[..., ::-1]))
    picture.putalpha(10)
    file = io.BytesIO()
    picture.save(file, "PNG")
    assert np.array_equal(read_image(file.getvalue()), crop)


def upright(image: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation; Source: EXIF 2.32, tag 0x0112."""
    swapped = image.transpose(1, 0, 2)
    return {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: swapped,
        6: swapped[:, ::-1],
        7: swapped[::-1, ::-1],
        8: swapped[::-1],
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_cv2_imread_does(orientation: int, crop: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(packed(crop, "JPEG", exif=exif_of(orientation)))
    assert np.array_equal(read_image(path), np.asarray(cv2.imread(str(path))))
    plain = read_image(packed(crop, "JPEG"))
    assert np.array_equal(read_image(path), upright(plain, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied_in_other_formats(format: str, orientation: int, crop: Pixels) -> None:
    options: dict[str, object] = {"lossless": True} if format == "WEBP" else {}
    data = packed(crop, format, exif=exif_of(orientation), **options)
    assert np.array_equal(read_image(data), upright(crop, orientation))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("format", ["HEIC", "AVIF"])
def test_a_turned_phone_picture_comes_out_upright_once(format: str, orientation: int, crop: Pixels) -> None:
    exif = exif_of(orientation).tobytes()
    data = packed_heic(crop, exif=exif) if format == "HEIC" else packed(crop, "AVIF", exif=exif)
    assert mean_levels(read_image(data), upright(crop, orientation)) < LOSSY_LEVELS
    assert mean_levels(crop[::-1, ::-1], crop) > 2 * LOSSY_LEVELS  # so a wrong turn would be seen


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_gray_and_alpha_heic_become_colour(mode: str, crop: Pixels) -> None:
    picture = Image.fromarray(np.ascontiguousarray(crop[..., ::-1])).convert(mode)
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file)
    expected = np.asarray(picture.convert("RGB"))[..., ::-1]
    assert mean_levels(read_image(file.getvalue()), expected) < LOSSY_LEVELS


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_is_divided_by_257_and_rounded(suffix: str, channels: int) -> None:
    wide = np.random.default_rng(0).integers(0, 65536, (20, 30, channels)).astype(np.uint16)
    wide[0, :2] = [[0], [65535]]
    image = read_image(packed_cv2(suffix, wide))
    assert np.array_equal(image, np.broadcast_to(np.rint(wide[..., :3] / 257), image.shape))
    assert image.min() == 0
    assert image.max() == 255


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_read(format: str, crop: Pixels) -> None:
    second = Image.fromarray(np.ascontiguousarray(255 - crop[..., ::-1]))
    options: dict[str, object] = {"lossless": True} if format == "WEBP" else {}
    data = packed(crop, format, save_all=True, append_images=[second], duration=100, **options)
    with Image.open(io.BytesIO(data)) as check:
        assert getattr(check, "n_frames", 1) == 2
    image = read_image(data)
    if format == "GIF":
        assert mean_levels(image, crop) < LOSSY_LEVELS
    else:
        assert np.array_equal(image, crop)
    assert mean_levels(image, 255 - crop) > OTHER_FRAME_LEVELS


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_one_pixel_is_an_image(format: str) -> None:
    image = read_image(packed(np.full((1, 1, 3), 200, np.uint8), format))
    assert image.shape == (1, 1, 3)
    assert mean_levels(image, np.full((1, 1, 3), 200, np.uint8)) < LOSSY_LEVELS


# --- where images come from ---------------------------------------------------------------------


def test_path_text_bytes_and_stream_give_the_same(crop: Pixels, tmp_path: Path) -> None:
    data = packed(crop, "PNG")
    path = tmp_path / "a picture, without suffix"
    path.write_bytes(data)
    with path.open("rb") as stream:
        for source in (path, str(path), data, io.BytesIO(data), stream):
            assert np.array_equal(read_image(source), crop)


def test_a_dash_is_standard_input(crop: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed(crop, "PNG"))))
    assert np.array_equal(read_image("-"), crop)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert refusal(lambda: read_image("-")).startswith("standard input is empty (0 bytes)")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "NoneType found, expected a path, bytes or a binary stream"),
        (np.zeros((2, 2, 3), np.uint8), "ndarray found, expected a path"),
        (io.StringIO("text"), "the stream gives str, expected bytes; open it in binary mode"),
    ],
)
def test_a_source_of_another_type_is_refused(source: object, message: str) -> None:
    assert message in refusal(lambda: read_image(source))  # type: ignore[arg-type]


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("zero.jpg", b"", "zero.jpg is empty (0 bytes)"),
        ("text.jpg", b"this is no picture", "text.jpg begins with b'this is ', which is not an image of a known kind"),
        (
            "film.png",
            b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41",
            "which is not an image of a known kind; expected one of JPEG, PNG",
        ),
        ("start.jpg", b"\xff\xd8\xff\xe0", "start.jpg is a damaged or unusual JPEG file"),
        ("start.png", b"\x89PNG\r\n\x1a\n", "start.png is a damaged or unusual PNG file"),
        ("start.webp", b"RIFF\x40\0\0\0WEBPjunk", "start.webp is a damaged or unusual WEBP file"),
        ("start.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "start.heic is a damaged or unusual HEIF file"),
        ("start.avif", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "start.avif is a damaged or unusual AVIF file"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in refusal(lambda: read_image(tmp_path / name))


def test_a_folder_and_a_missing_file_have_their_own_messages(tmp_path: Path) -> None:
    assert "is a folder, expected an image file" in refusal(lambda: read_image(tmp_path))
    assert "gone.jpg does not exist" in refusal(lambda: read_image(tmp_path / "gone.jpg"))
    assert "cannot be read: File name too long" in refusal(lambda: read_image("x" * 5000))


def test_a_tiff_of_float32_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(np.linspace(0, 9, 600, dtype=np.float32).reshape(20, 30)).save(file, "TIFF")
    assert "its tag SampleFormat (339) is 3 (floating point numbers), expected 1 (whole numbers)" in refusal(
        lambda: read_image(file.getvalue())
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(height_px: int, width_px: int) -> bytes:
    """A PNG whose header claims a size and whose pixels are missing."""
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def claim(data: bytes, place: int, order: str, *sides: int) -> bytes:
    """Write other sides into a file's header."""
    sizes = struct.pack(order, *sides)
    return data[:place] + sizes + data[place + len(sizes) :]


def bombs() -> dict[str, bytes]:
    square = np.zeros((16, 16, 3), np.uint8)
    jpeg, gif, bmp = (packed(square, format) for format in ("JPEG", "GIF", "BMP"))
    webp = packed(square, "WEBP", lossless=True)
    tiff = packed(square, "TIFF")
    width, height = (struct.pack("<HHI", tag, 4, 1) for tag in (256, 257))  # one LONG
    return {
        "PNG": png_of_size(50_000, 50_000),
        "JPEG": claim(jpeg, jpeg.index(b"\xff\xc0") + 5, ">HH", 60_000, 60_000),
        "GIF": claim(gif, 6, "<HH", 60_000, 60_000),
        "BMP": claim(bmp, 18, "<ii", 60_000, 60_000),
        "WEBP": claim(webp, 21, "<I", 16_383 | 16_383 << 14),
        "TIFF": claim(claim(tiff, tiff.index(width) + 8, "<I", 60_000), tiff.index(height) + 8, "<I", 60_000),
    }


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_a_decompression_bomb_is_refused_by_its_header(format: str) -> None:
    message = refusal(lambda: read_image(bombs()[format]))
    assert "expected at most 100000000; shrink it, or raise max_pixels (--max-pixels)" in message


@pytest.mark.parametrize(("height_px", "width_px"), [(1, 100_000), (100_000, 1), (100, 10_000), (10_000, 100)])
def test_a_strip_is_refused_by_its_aspect(height_px: int, width_px: int, tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    path.write_bytes(packed_cv2(".png", np.zeros((height_px, width_px), np.uint8)))
    message = refusal(lambda: read_image(path))
    assert f"strip.png is {height_px}x{width_px} px (HxW), one side" in message
    assert "expected at most 8 times; crop it, or raise max_aspect (--max-aspect)" in message


def test_a_raised_limit_lets_the_image_in() -> None:
    data = packed_cv2(".png", np.full((2, 5000), 7, np.uint8))
    assert read_image(data, limits=Limits(max_aspect=2500)).shape == (2, 5000, 3)
    assert "one side 2500 times" in refusal(lambda: read_image(data, limits=Limits(max_aspect=2499)))
    assert "10000 pixels, expected at most 9999" in refusal(lambda: read_image(data, limits=Limits(max_pixels=9999)))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
def test_the_users_own_pillow_limit_has_no_effect(format: str, crop: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed(crop, format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert read_image(data).shape == crop.shape


def test_a_file_over_the_size_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(600 * 2**20)  # a hole: takes no disk
    assert "huge.png has more than 512 MiB, expected at most that" in refusal(lambda: read_image(path))
    assert "(--max-file-mib)" in refusal(lambda: read_image(bytes(2**20 + 1), limits=Limits(max_file_mib=1)))


class EndlessStream(io.RawIOBase):
    """Gives zeros for ever and remembers how many were asked for."""

    asked = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        assert size >= 0, "an endless stream must not be read to its end"
        self.asked += size
        return bytes(size)


def test_an_endless_stream_is_read_up_to_the_limit() -> None:
    stream = EndlessStream()
    message = refusal(lambda: read_image(stream, limits=Limits(max_file_mib=0.5)))  # type: ignore[arg-type]
    assert "the stream has more than 0.5 MiB" in message
    assert stream.asked == 2**19 + 1


@pytest.mark.parametrize("max_file_mib", [1e6, float("inf")])
def test_a_limit_that_nothing_reaches_reserves_no_memory(max_file_mib: float) -> None:
    data = packed(np.zeros((9, 13, 3), np.uint8), "PNG")
    limits = Limits(max_file_mib=max_file_mib)
    assert read_image(data, limits=limits).shape == read_image(io.BytesIO(data), limits=limits).shape == (9, 13, 3)


SMALL_FILES = [
    packed(np.random.default_rng(1).integers(0, 256, (9, 13, 3)).astype(np.uint8), format)
    for format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    data=st.sampled_from(SMALL_FILES),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_damage_of_any_kind_gives_an_image_or_one_line(data: bytes, changes: list[tuple[int, int]]) -> None:
    broken = bytearray(data)
    for place, value in changes:
        broken[place % len(broken)] = value
    try:
        check_image(read_image(bytes(broken)))
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["", "\t"])
def test_an_empty_name_is_no_image(name: str) -> None:
    assert "which names no file; give a path" in refusal(lambda: read_image(name))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert "a.png is a pipe, expected an image file; give - and pipe it" in refusal(
        lambda: read_image(tmp_path / "a.png")
    )


# --- what is read in another way than a viewer shows it ------------------------------------------


@pytest.fixture
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthrt.engine.images.read._said", set())


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_an_animation_says_once_that_its_first_frame_is_read(
    format: str, crop: Pixels, caplog: pytest.LogCaptureFixture
) -> None:
    second = Image.fromarray(np.ascontiguousarray(255 - crop[..., ::-1]))
    moving = packed(crop, format, save_all=True, append_images=[second], duration=100)
    for data in (moving, packed(crop, format), moving):
        read_image(data)
    (message,) = caplog.messages
    assert message.startswith("depthrt: the image: only its first frame is read; convert it to .mp4 for the others (")


@pytest.mark.usefixtures("nothing_said")
@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_alpha_that_hides_something_is_said(format: str, crop: Pixels, caplog: pytest.LogCaptureFixture) -> None:
    picture = Image.fromarray(np.ascontiguousarray(crop[..., ::-1]))
    for alpha in (255, 0):
        picture.putalpha(alpha)
        file = io.BytesIO()
        picture.save(file, format)
        assert not caplog.messages
        read_image(file.getvalue())
    assert caplog.messages == ["depthrt: the image: its alpha is dropped (said of the first such image only)"]


@pytest.mark.usefixtures("nothing_said")
def test_other_pages_and_pixels_that_are_not_square_are_said(crop: Pixels, caplog: pytest.LogCaptureFixture) -> None:
    second = Image.fromarray(255 - crop)
    read_image(packed(crop, "TIFF", save_all=True, append_images=[second]))
    read_image(packed(crop, "TIFF", dpi=(204, 98)))
    read_image(packed(crop, "PNG", dpi=(204, 98)))
    page, pixels = caplog.messages
    assert page == "depthrt: the image: only its first page is read (said of the first such image only)"
    assert "its pixels are not square (204 to 98 a length, across and down), they are read as they are" in pixels


def test_16_bits_become_8_without_a_copy_of_all_pixels() -> None:
    pixels = np.zeros((2000, 3000, 3), np.uint16)
    tracemalloc.start()
    image = _to_8_bits(pixels, Header("PNG", 2000, 3000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < image.nbytes + 10_000_000  # a band of rows
