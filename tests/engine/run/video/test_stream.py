"""A stream is read frame by frame, and a break is named without the password in its address."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest
from refusal import refusal
from served_stream import SIZE_PX, STEP, network_camera

from depthrt.engine.run.sources import Source
from depthrt.engine.run.video.stream import StreamReader

LEVELS = 2  # of 8 bits, by JPEG


def of(address: str) -> Source:
    return Source(address, "camera", Path("live"))


def test_a_stream_gives_its_frames_in_order_until_it_breaks() -> None:
    with network_camera(frames=60) as camera, StreamReader(of(camera.address), timeout_s=2) as reader:
        frames = list(iter(reader.next, None))
        assert reader.frames is None and reader.shortfall() == (
            f"broke off after {len(frames)} frames; check that it plays, and its network"
        )
    levels = [int(frame.image.mean().round()) for frame in frames]
    assert frames[0].image.shape == (*SIZE_PX, 3) and len(frames) > 50
    assert all(abs(second - first - STEP) <= LEVELS for first, second in pairwise(levels))


def test_a_stream_that_falls_silent_ends_within_its_limit() -> None:
    with network_camera(frames=60, hangs=True) as camera, StreamReader(of(camera.address), timeout_s=0.3) as reader:
        while (begun_s := monotonic()) and reader.next() is not None:
            pass
        assert monotonic() - begun_s < 5
        assert reader.shortfall() is not None and "broke off" in str(reader.shortfall())


@pytest.mark.parametrize("address", ["http://user:secret@127.0.0.1:9/live", "rtsp://user:secret@127.0.0.1:9/live"])
def test_an_address_that_nobody_serves_is_named_without_its_password(address: str) -> None:
    found = refusal(lambda: StreamReader(of(address)))
    assert "127.0.0.1:9/live cannot be opened (" in found and "secret" not in found
    assert "check its address, your rights and the network" in found
