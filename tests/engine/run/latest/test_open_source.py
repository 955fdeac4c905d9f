"""A camera, an address, a file, a function and an iterable are read as one kind of source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_video import write_video
from refusal import refusal

from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits
from depthrt.engine.run.latest.open_source import CallReader, Feed, FrameSource, feed_of
from depthrt.engine.run.video.video_file import VideoFileReader


def feed(source: FrameSource) -> Feed:
    return feed_of(source, limits=DEFAULT_LIMITS, stall_s=1.0)


def picture(level: int) -> np.ndarray:
    return np.full((4, 6, 3), level, np.uint8)


def test_each_kind_of_source_says_whether_it_has_an_end_and_a_speed(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0, 0.1])
    facts = {
        name: (found.title, found.paced, found.again)
        for name, found in {
            "camera": feed(0),
            "index": feed("7"),
            "address": feed("rtsp://user:secret@cam.local:554/live"),
            "file": feed(tmp_path / "a.mp4"),
            "function": feed(lambda: None),
            "iterable": feed([picture(0)]),
        }.items()
    }
    assert facts == {
        "camera": ("camera 0", False, True),
        "index": ("camera 7", False, True),
        "address": ("rtsp://cam.local:554/live", False, True),
        "file": (str(tmp_path / "a.mp4"), True, False),
        "function": ("the function", False, True),
        "iterable": ("the iterable", False, False),
    }
    with feed(tmp_path / "a.mp4").open() as reader:
        assert isinstance(reader, VideoFileReader)


def test_images_and_stamps_of_a_function_are_kept_and_its_buffer_is_not() -> None:
    buffer = picture(0)
    given = iter([(buffer, 17), buffer, None])
    reader = CallReader(lambda: next(given), DEFAULT_LIMITS)
    first = reader.next()
    buffer[:] = 9
    second = reader.next()
    assert first is not None and second is not None and reader.next() is None
    assert (first.stamp_ns, second.stamp_ns) == (17, None)
    assert (int(first.image.max()), int(second.image.max())) == (0, 9)
    assert first.time_s == 0.0 <= second.time_s


def test_an_iterable_is_read_to_its_end() -> None:
    with feed(picture(level) for level in range(3)).open() as reader:
        assert [int(frame.image[0, 0, 0]) for frame in iter(reader.next, None)] == [0, 1, 2]
        assert reader.shortfall() is None


def test_what_gives_no_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert "p.png is no camera, stream or video; give a camera's index" in refusal(lambda: feed(tmp_path / "p.png"))
    assert "gone.mp4 does not exist" in refusal(lambda: feed("gone.mp4"))
    assert "source: float found, expected a camera's index" in refusal(lambda: feed(0.5))  # type: ignore[arg-type]
    assert "source: bool found" in refusal(lambda: feed(True))
    gray = CallReader(lambda: np.zeros((4, 6), np.uint8), DEFAULT_LIMITS)
    assert "image: (4, 6) uint8 found" in refusal(gray.next)
    large = CallReader(lambda: picture(0), Limits(max_pixels=10))
    assert "a frame" in refusal(large.next)


@pytest.mark.parametrize("empty", [[], iter(())])
def test_an_empty_iterable_says_so(empty: FrameSource) -> None:
    with feed(empty).open() as reader:
        assert reader.next() is None and reader.nothing() == "gave no frame"
