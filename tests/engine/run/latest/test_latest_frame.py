"""LatestFrame gives the newest frame, reports a source that hangs within its limit, and leaks nothing."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from copy import copy
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic, sleep

import numpy as np
import pytest
from made_video import moving_picture, write_video
from refusal import refusal
from served_stream import STEP, network_camera

import depthrt
from depthrt.engine.run.latest import latest_frame, producer
from depthrt.engine.run.latest.latest_frame import LatestFrame
from depthrt.engine.run.latest.newest_frame import NewestFrame

PERIOD_S, BUSY_S = 0.01, 0.05  # of a source at 100 Hz and a consumer at 20 Hz
SLACK_S = 1.0  # for a machine that is busy with something else
STALL_S = 0.2
PICTURE = np.zeros((4, 6, 3), np.uint8)


def numbered(period_s: float = PERIOD_S) -> Iterator[tuple[np.ndarray, int]]:
    """Yield frames whose stamp and whose pixels are their number, without end."""
    for number in count():
        sleep(period_s)
        yield np.full((4, 6, 3), number % 256, np.uint8), number


def test_a_slow_consumer_gets_the_newest_frame_and_the_number_that_it_missed() -> None:
    ages_s, numbers, skipped = [], [], []
    with LatestFrame(numbered()) as source:
        for frame in source:
            sleep(BUSY_S)
            assert frame.stamp_ns is not None and int(frame.image[0, 0, 0]) == frame.stamp_ns % 256
            ages_s.append(frame.age_ms / 1e3)
            numbers.append(frame.stamp_ns)
            skipped.append(frame.skipped)
            if len(numbers) == 12:
                break
        status = source.status
    assert np.median(ages_s) < PERIOD_S + BUSY_S + SLACK_S
    assert [step - 1 for step in np.diff(numbers).tolist()] == skipped[1:] and min(skipped[1:]) > 0
    assert status.connected and status.received > numbers[-1] and status.skipped >= sum(skipped)


def test_a_depth_has_the_stamp_the_age_and_the_skipped_frames() -> None:
    frames = ((moving_picture(number, 64, 96), number) for number in range(3))
    with depthrt.load("default", device="cpu") as model, depthrt.LatestFrame(frames) as source:
        for frame in source:
            depth = frame.stamped(model.infer(frame.image))
    provenance = depth.provenance
    assert (provenance.stamp_ns, depth.shape) == (2, (64, 96))
    assert provenance.age_ms is not None and provenance.age_ms >= provenance.timings.run_ms


def test_a_source_that_hangs_is_reported_within_its_limit_and_again_when_asked() -> None:
    release = Event()
    source = LatestFrame(lambda: PICTURE if release.wait() else None, stall_s=STALL_S)
    for limit_s in (STALL_S, 0.0):
        start_s = monotonic()
        found = refusal(source.next)
        assert limit_s * 0.9 <= monotonic() - start_s < limit_s + SLACK_S
    assert found == "the function gave no frame for 0.2 s; check it, or set reconnect (--reconnect)"
    release.set()
    sleep(STALL_S / 4)
    assert source.next() is not None, "it goes on if the source does"
    source.close()


def test_a_source_that_hangs_is_said_once_and_waited_for_if_reconnect_is_set(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest_frame, "CLOSE_S", 0.01)
    release = Event()
    source = LatestFrame(lambda: PICTURE if release.wait() else None, stall_s=0.05, reconnect=True)
    threading.Timer(0.4, release.set).start()
    assert source.next() is not None
    assert [record.getMessage() for record in caplog.records] == ["depthrt: the function gave no frame for 0.05 s"]
    source.close()


def test_a_source_that_ends_ends_the_iteration_and_one_that_fails_raises() -> None:
    with LatestFrame([PICTURE] * 3) as source:
        assert 1 <= len(list(source)) <= 3
        assert source.next() is None

    def fail() -> np.ndarray:
        raise OSError("no light")

    with LatestFrame(fail) as source, pytest.raises(depthrt.InputError, match="the function failed") as caught:
        source.next()
    assert isinstance(caught.value.__cause__, OSError)


def test_a_file_is_given_at_its_own_speed_and_a_long_picture_is_no_stall(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0, 0.6, 1.2])
    start_s = monotonic()
    with LatestFrame(tmp_path / "a.mp4", stall_s=0.3) as source:
        frames = list(source)
    assert 1.2 <= monotonic() - start_s < 1.2 + SLACK_S
    assert frames[-1].time_s == pytest.approx(1.2) and all(frame.age_ms >= 0 for frame in frames)


def test_a_stream_that_breaks_is_opened_again_and_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "FIRST_WAIT_S", 0.02)
    with network_camera(frames=60) as camera:
        with LatestFrame(camera.address, reconnect=True) as source:
            while source.status.opened < 2 or source.next() is None:
                assert source.next() is not None
        with LatestFrame(camera.address) as source:
            frames: list[NewestFrame] = []
            assert "broke off after" in refusal(lambda: frames.extend(source))
    said = " ".join(record.getMessage() for record in caplog.records)
    assert f"{camera.address} broke off after" in said and "is back after" in said
    assert all(int(frame.image[0, 0, 0]) % STEP < STEP for frame in frames) and frames


def test_a_stop_wakes_who_waits() -> None:
    release = Event()
    source = LatestFrame(lambda: PICTURE if release.wait() else None, stall_s=30)
    threading.Timer(0.05, source.stop).start()
    start_s = monotonic()
    assert source.next() is None and monotonic() - start_s < 10
    release.set()
    source.close()


def test_a_thousand_opens_and_closes_leak_nothing(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0, 0.1])

    def held() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (counts descriptors)

    with LatestFrame(tmp_path / "a.mp4") as source:
        source.next()  # what PyAV opens once
    before = held()
    for number in range(1000):
        with LatestFrame(tmp_path / "a.mp4" if number % 50 == 0 else [PICTURE]) as source:
            assert source.next() is not None
    assert held() == before


def test_a_source_that_is_dropped_without_a_close_ends_its_thread() -> None:
    before = threading.active_count()
    source = LatestFrame(numbered(0.001))
    source.next()
    del source
    gc.collect()
    until_s = monotonic() + 10
    while threading.active_count() > before and monotonic() < until_s:
        sleep(0.01)
    assert threading.active_count() == before


def test_what_cannot_be_a_live_source_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", [0.0])
    assert "stall_s 0 found, expected seconds above 0" in refusal(lambda: LatestFrame(0, stall_s=0))
    for source in (tmp_path / "a.mp4", [PICTURE]):
        found = refusal(partial(LatestFrame, source, reconnect=True))
        assert "which has an end of its own; leave it out" in found
    with LatestFrame([PICTURE]) as first:
        assert "a LatestFrame cannot be copied" in refusal(lambda: copy(first))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_told_that_the_thread_stayed_behind() -> None:
    with LatestFrame(numbered()) as source:
        child = os.fork()
        if child == 0:
            try:
                source.next()
            except depthrt.InputError as error:
                os._exit(0 if "made in another process" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
