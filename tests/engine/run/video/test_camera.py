"""Cameras give frames at the times when they came."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from depthrt import InputError
from depthrt.engine.run.sources import Source
from depthrt.engine.run.video import camera
from depthrt.engine.run.video.camera import CameraReader
from depthrt.engine.run.video.frames import FALLBACK_FPS

SOURCE = Source("3", "camera", Path("camera3"))
TIMES_S = [100.0, 100.09, 100.2, 100.2, 101.0]  # of the clock; two frames at once, as from a driver's queue


class Camera:
    """A camera of five frames, which announces 30 a second and gives 11."""

    fps = 30.0
    opens = True

    def __init__(self, index: int) -> None:
        assert index == 3
        self.left = len(TIMES_S)
        self.released = False

    def isOpened(self) -> bool:
        return self.opens

    def get(self, name: int) -> float:
        return self.fps if name == cv2.CAP_PROP_FPS else 0.0

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.full((4, 6, 3), self.left, np.uint8)) if self.left >= 0 else (False, None)

    def release(self) -> None:
        self.released = True


@pytest.fixture(autouse=True)
def _plugged_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(camera, "monotonic", itertools.chain(TIMES_S, itertools.count(200.0)).__next__)
    yield


def test_times_are_those_of_the_clock_from_the_first_frame() -> None:
    with CameraReader(SOURCE) as reader:
        frames = list(iter(reader.next, None))
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.09, 0.2, 0.201, 1.0])
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [4, 3, 2, 1, 0]


def test_a_camera_that_gives_no_more_is_an_error_unless_it_was_stopped() -> None:
    with CameraReader(SOURCE) as reader:
        assert reader.frames is None
        assert len(list(iter(reader.next, None))) == 5
        assert reader.shortfall() == "gave no frame after 5; check its cable and its power"
    with CameraReader(SOURCE, max_frames=2) as reader:
        assert reader.frames == 2
        assert reader.next() is not None
        reader.stop()
        assert reader.next() is None and reader.shortfall() is None


def test_a_camera_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Camera(3)
    monkeypatch.setattr(cv2, "VideoCapture", lambda index: opened)
    with CameraReader(SOURCE):
        assert not opened.released
    assert opened.released


@pytest.mark.parametrize("announced", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_becomes_the_usual_one(monkeypatch: pytest.MonkeyPatch, announced: float) -> None:
    monkeypatch.setattr(Camera, "fps", announced)
    with CameraReader(SOURCE) as reader:
        assert reader.fps == FALLBACK_FPS


def test_a_camera_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Camera, "opens", False)
    with pytest.raises(InputError, match=r"camera 3 cannot be opened; check its index, its cable and your rights"):
        CameraReader(SOURCE)


def test_a_camera_without_a_frame_says_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Camera, "read", lambda camera: (False, None))
    with CameraReader(SOURCE) as reader:
        assert reader.next() is None
        assert reader.nothing() == "gave no frame; check its cable, and that no other program uses it"
