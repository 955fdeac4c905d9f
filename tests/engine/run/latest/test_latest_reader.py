"""A run reads the newest frames as it reads a video: with an end, and with what was wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_video import write_video
from served_stream import network_camera

from depthrt.engine.run.latest.latest_reader import Latest, LatestReader
from depthrt.engine.run.latest.newest_frame import NewestFrame
from depthrt.engine.run.sources import Source


def of_file(path: Path) -> Source:
    return Source(str(path), "video", Path("clip"))


def test_a_file_is_read_to_its_end_and_nothing_is_wrong(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0, 0.05, 0.1], fps=20)
    with LatestReader(of_file(tmp_path / "a.mp4"), Latest(reconnect=True)) as reader:
        frames = list(iter(reader.next, None))
        assert all(isinstance(frame, NewestFrame) for frame in frames) and frames[-1].time_s == pytest.approx(0.1)
        assert reader.shortfall() is None and reader.next() is None and reader.frames is None
        assert reader.fps == pytest.approx(20, rel=0.2)


def test_a_stall_is_what_is_wrong_and_ends_the_frames() -> None:
    with network_camera(frames=60, hangs=True) as camera:
        source = Source(camera.address, "camera", Path("live"))
        with LatestReader(source, Latest(stall_s=0.5)) as reader:
            assert len(list(iter(reader.next, None))) > 0
            wrong = reader.shortfall()
            assert wrong is not None and ("gave no frame for 0.5 s" in wrong or "broke off" in wrong)
            assert reader.next() is None and reader.nothing() == wrong
    assert camera.connections == 1


def test_frames_end_after_their_number_and_after_a_stop() -> None:
    with network_camera() as camera:
        source = Source(camera.address, "camera", Path("live"))
        with LatestReader(source, Latest(), max_frames=2) as reader:
            assert len(list(iter(reader.next, None))) == 2 and reader.shortfall() is None
        with LatestReader(source, Latest()) as reader:
            assert reader.next() is not None
            reader.stop()
            assert reader.next() is None and reader.shortfall() is None
