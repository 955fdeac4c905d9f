"""The thread behind a LatestFrame opens a source again with growing pauses, and says each break."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from time import monotonic

import numpy as np
import pytest

from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import DEFAULT_LIMITS
from depthrt.engine.run.latest import producer
from depthrt.engine.run.latest.open_source import CallReader, Feed
from depthrt.engine.run.latest.producer import Producer
from depthrt.engine.run.latest.slot import Slot
from depthrt.engine.run.video.frames import FrameReader

PICTURE = np.zeros((4, 6, 3), np.uint8)


class Breaking(CallReader):
    """A camera that gives some frames and then breaks."""

    def __init__(self, frames: int) -> None:
        given = iter([PICTURE] * frames)
        super().__init__(partial(next, given, None), DEFAULT_LIMITS)

    def _shortfall(self) -> str:
        return f"gave no frame after {self.given}; check its cable"


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(producer, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(producer, "MOST_WAIT_S", 0.04)
    yield


def followed(opens: list[FrameReader | InputError], *, reconnect: bool = True) -> Producer:
    """Run a producer over what its source gives at each time that it is opened; the last one ends it."""
    left = iter(opens)

    def open_next() -> FrameReader:
        found = next(left)
        if isinstance(found, InputError):
            raise found
        return found

    found = Producer(Feed("the camera", open_next, paced=False, again=True), reconnect=reconnect)
    found.start()
    assert found.join(10)
    return found


def end() -> FrameReader:
    """Return a source that gives one frame and has an end of its own."""
    given = iter([PICTURE])
    return CallReader(partial(next, given, None), DEFAULT_LIMITS)


@pytest.mark.usefixtures("_quick")
def test_a_source_that_breaks_is_opened_again_until_it_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    gone = InputError("the camera cannot be opened; check its cable")
    found = followed([Breaking(3), gone, gone, gone, gone, Breaking(0), Breaking(1), end()])
    assert (found.wrong, found.opened, found.slot.received, found.slot.ended) == (None, 4, 5, True)
    said = [record.getMessage().removeprefix("depthrt: the camera ") for record in caplog.records]
    pauses = [line.rsplit(" in ", 1)[1] for line in said if "opened again" in line]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.04 s", "0.04 s", "0.04 s", "0.01 s"], "a frame resets them"
    assert said[0] == "gave no frame after 3; check its cable; opened again in 0.01 s"
    assert said[1].startswith("cannot be opened; check its cable; opened again")
    assert sum("is back after" in line for line in said) == 2


@pytest.mark.usefixtures("_quick")
def test_the_times_of_frames_go_on_after_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    times_s: list[float] = []
    monkeypatch.setattr(Slot, "put", lambda slot, frame: times_s.append(frame.time_s))
    followed([Breaking(3), Breaking(3), end()])
    assert len(times_s) == 7 and times_s[0] == 0.0
    assert times_s == sorted(times_s) and len(set(times_s)) == 7
    assert times_s[3] > times_s[2] + 0.005, "the time without the source counts"


@pytest.mark.usefixtures("_quick")
def test_a_source_that_is_not_there_yet_is_tried_again_if_asked(caplog: pytest.LogCaptureFixture) -> None:
    gone = InputError("the camera cannot be opened; check its cable")
    assert followed([gone, end()]).slot.received == 1
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "depthrt: the camera cannot be opened; check its cable; it is tried again"
    assert said[1].startswith("depthrt: the camera is back after ") and len(said) == 2
    with pytest.raises(InputError, match="cannot be opened"):
        followed([gone, end()], reconnect=False)


def test_without_reconnect_a_break_is_the_end_and_has_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    found = followed([Breaking(3), end()], reconnect=False)
    assert found.wrong == "gave no frame after 3; check its cable" and found.slot.received == 3
    assert not caplog.records


def test_what_a_function_raises_is_the_reason() -> None:
    def fail() -> None:
        raise OSError("no light")

    found = Producer(Feed("it", partial(CallReader, fail, DEFAULT_LIMITS), paced=False, again=True), reconnect=False)
    found.start()
    assert found.join(10) and found.wrong == "failed (OSError: no light)" and isinstance(found.cause, OSError)


def test_a_frame_that_is_no_image_is_the_reason_in_one_line() -> None:
    gray = partial(CallReader, lambda: np.zeros((4, 6), np.uint8), DEFAULT_LIMITS)
    found = Producer(Feed("it", gray, paced=False, again=True), reconnect=False)
    found.start()
    assert found.join(10) and str(found.wrong).startswith("failed: image: (4, 6) uint8 found, expected")


def test_a_stop_ends_a_pause_at_once() -> None:
    def fail() -> None:
        raise OSError("no light")

    found = Producer(Feed("it", partial(CallReader, fail, DEFAULT_LIMITS), paced=False, again=True), reconnect=True)
    found.start()
    start_s = monotonic()
    found.stop()
    assert found.join(10) and monotonic() - start_s < producer.FIRST_WAIT_S and found.wrong is None
