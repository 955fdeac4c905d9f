"""Formats of images and videos by their first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_image import crop_of_photo, packed, packed_heic
from made_video import write_video

from depthrt.engine.modelfile.misplaced import misplaced
from depthrt.engine.system.first_bytes import HEAD_BYTES, IMAGE_FORMATS, image_format, is_video

BMP = packed(crop_of_photo(), "BMP")
VIDEOS = {
    "MP4": b"\0\0\0\x20ftypisom\0\0\2\0",
    "QuickTime without ftyp": b"\0\0\0\x08wide\0\0\1\0mdat",
    "AVI": b"RIFF\0\0\0\0AVI LIST",
    "Matroska": b"\x1a\x45\xdf\xa3\x01\0\0\0",
    "Flash": b"FLV\x01\x05",
    "Ogg": b"OggS\0\2",
    "MPEG program": b"\0\0\1\xba\x44",
    "MPEG video": b"\0\0\1\xb3\x14",
    "ASF": bytes.fromhex("3026b2758e66cf11a6d900aa"),
    "MXF": bytes.fromhex("060e2b34020501010d010201"),
    "RealMedia": b".RMF\0\0\0\x12",
    "IVF": b"DKIF\0\0\x20\0AV01",
    "raw": b"YUV4MPEG2 W64 H48",
    "NUT": b"nut/multimedia container\0",
    "MPEG transport": (b"G" + bytes(187)) * 3,
    "Blu-ray": (bytes(4) + b"G" + bytes(187)) * 3,
}


@pytest.mark.parametrize("format", IMAGE_FORMATS)
def test_every_image_that_is_written_has_its_format(format: str) -> None:
    data = packed_heic(crop_of_photo()) if format == "HEIF" else packed(crop_of_photo(), format)
    assert image_format(data) == image_format(data[:HEAD_BYTES]) == format and not is_video(data)


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_both_orders_and_both_sizes_of_tiff_are_images(head: bytes) -> None:
    assert image_format(head + bytes(8)) == "TIFF"
    assert "x is an image, expected an ONNX model" in (misplaced(head, "x", expected="an ONNX model") or "")


@pytest.mark.parametrize("second_header_bytes", [12, 16, 40, 52, 56, 64, 108, 124])
def test_each_version_of_bmp_is_an_image_and_a_text_with_its_letters_is_none(second_header_bytes: int) -> None:
    head = BMP[:14] + second_header_bytes.to_bytes(4, "little") + BMP[18:]
    assert image_format(head) == "BMP"
    assert all(image_format(head[:size]) == "BMP" for size in range(2, 19))  # which are damaged
    assert image_format(b"BM is the Bureau of Mines, and this is a text.") is None


@pytest.mark.parametrize("name", VIDEOS)
def test_a_video_is_known_and_sent_where_videos_go(name: str) -> None:
    head = VIDEOS[name]
    assert is_video(head) and image_format(head) is None
    assert "x is a video, expected an ONNX model; " in (misplaced(head, "x", expected="an ONNX model") or "")


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "a.mov"])
def test_every_video_that_is_written_is_a_video(name: str, tmp_path: Path) -> None:
    write_video(tmp_path / name, [0, 0.1], codec="mpeg4")
    assert is_video((tmp_path / name).read_bytes()[:HEAD_BYTES])


@pytest.mark.parametrize(
    "head", [b"", b"BN", b"GIF86a", b"G" + bytes(186) + b"G" + bytes(212), b"plain text", b"\0" * 64]
)
def test_other_bytes_are_neither(head: bytes) -> None:
    assert image_format(head) is None and not is_video(head)
