"""The first bytes of a file decide what it is; a suffix decides only if they say nothing."""

from __future__ import annotations

import io
import os
from pathlib import Path
from time import perf_counter

import av
import numpy as np
import pytest
from made_image import crop_of_photo, packed

from depthrt.engine.images.kinds import IMAGE_SUFFIXES, UNREAD_SUFFIXES, VIDEO_SUFFIXES, media_kind

CONTAINERS = {
    "mp4": "mpeg4",
    "mov": "mjpeg",
    "3gp": "mpeg4",
    "matroska": "mjpeg",
    "webm": "libvpx-vp9",
    "avi": "mjpeg",
    "mpegts": "mpeg2video",
    "mpeg": "mpeg2video",
    "vob": "mpeg2video",
    "flv": "flv",
    "asf": "mpeg4",
    "mxf": "mpeg2video",
    "nut": "mpeg4",
    "ivf": "libvpx-vp9",
    "yuv4mpegpipe": "rawvideo",
    "rm": "rv10",
}


def video(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = 176, 144
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for level in (0, 90, 180):
            frame = av.VideoFrame.from_ndarray(np.full((144, 176, 3), level, np.uint8), "rgb24")
            output.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_video_of_any_container_is_one_under_any_name(container: str, tmp_path: Path) -> None:
    try:
        data = video(container, CONTAINERS[container])
    except (av.FFmpegError, ValueError) as error:
        pytest.skip(f"this PyAV writes no {container}: {error}")
    for name in ("clip", "clip.jpg", "clip.bin"):
        (tmp_path / name).write_bytes(data)
        assert media_kind(tmp_path / name) == "video"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_an_image_is_one_under_the_name_of_a_video(format: str, tmp_path: Path) -> None:
    for name in ("a.mp4", "a", "a.txt", "a.M2TS"):
        (tmp_path / name).write_bytes(packed(crop_of_photo(), format))
        assert media_kind(tmp_path / name) == "image"


def test_a_suffix_decides_for_bytes_of_no_known_kind(tmp_path: Path) -> None:
    kinds = {"a.txt": "image", "a.jpg": "image", "a.MTS": "video", "a.h264": "video"}
    for name, kind in kinds.items():
        (tmp_path / name).write_bytes(b"no picture")
        assert media_kind(tmp_path / name) == kind
        assert media_kind(tmp_path / "missing" / name) == kind


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    start = perf_counter()
    assert media_kind(tmp_path / "a.mp4") == "video"
    assert perf_counter() - start < 5


def test_no_suffix_has_two_kinds() -> None:
    known = [*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, *UNREAD_SUFFIXES]
    assert len(known) == len(set(known))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in known)
