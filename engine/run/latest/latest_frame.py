"""LatestFrame: the newest frame of any source, for a program that is slower than the source."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from os import getpid
from time import monotonic

from ...errors import InputError
from ...images.limits import DEFAULT_LIMITS, Limits
from ...system.closable import Closable
from .newest_frame import NewestFrame
from .open_source import FrameSource, feed_of
from .producer import Producer

STALL_S = 5.0  # default
CLOSE_S = 2.0  # most time that close waits for a source; one that still blocks is closed when it answers

logger = logging.getLogger("depthrt")


@dataclass(frozen=True, slots=True)
class LatestStatus:
    """How a source has done so far.

    Args:
        connected: Whether it is open.
        received: Frames that came.
        skipped: Frames that newer ones replaced before they were taken.
        opened: Times that it was opened.
        silent_s: Time since it gave a frame or was opened.
    """

    connected: bool
    received: int
    skipped: int
    opened: int
    silent_s: float


class LatestFrame(Closable):
    """Keeps only the newest frame of a source, which a thread reads as fast as it gives; a context manager.

    Frames that come while the program is busy replace each other, so the one that it takes next is the newest, and the
    age of its depth is at most the time between two frames and that of an inference, however long the program runs.

        with depthrt.LatestFrame(0) as camera, depthrt.load("default") as model:
            for frame in camera:
                depth = frame.stamped(model.infer(frame.image))

    Args:
        source: Index of a camera; an address ("rtsp://..."); a video file, which is given at its own speed; a function
            that blocks until it returns the next frame, None at the end; or an iterable of frames. A frame of the last
            two is an image (H, W, 3) uint8 BGR, or (image, stamp in nanoseconds).
        stall_s: A source that gives no frame for so long has stalled: `next` raises, or says so if `reconnect` is set.
        reconnect: Open a camera or an address again if it breaks or stalls, and call a function again that raises:
            after 0.5 s, then after twice as long each time, 30 s at most.
        limits: Largest frame.

    Raises:
        InputError: The source is none of these, or cannot be opened and `reconnect` is not set.
    """

    def __init__(
        self,
        source: FrameSource,
        *,
        stall_s: float = STALL_S,
        reconnect: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not 0 < stall_s < float("inf"):
            raise InputError(f"stall_s {stall_s} found, expected seconds above 0")
        feed = feed_of(source, limits=limits, stall_s=stall_s)
        if reconnect and not feed.again:
            raise InputError(f"reconnect was asked of {feed.title}, which has an end of its own; leave it out")
        self.title = feed.title
        self._stall_s, self._reconnect, self._process = stall_s, reconnect, getpid()
        self._said_stall_s: float | None = None  # of which silence it was said
        self._producer = Producer(feed, reconnect=reconnect)
        self._producer.start()

    @property
    def status(self) -> LatestStatus:
        """Return how the source has done so far."""
        producer = self._producer
        silent_s = max(monotonic() - producer.alive_s, 0.0)
        slot = producer.slot
        return LatestStatus(producer.connected, slot.received, slot.skipped, producer.opened, silent_s)

    @property
    def fps(self) -> float | None:
        """Return the frames per second that the source announces; None if it never was open."""
        return self._producer.fps

    def next(self) -> NewestFrame | None:
        """Return the newest frame that was not returned yet; wait for one if there is none.

        Returns:
            None once the source has ended, or after `stop`.

        Raises:
            InputError: The source stalled or broke, and `reconnect` is not set.
        """
        self._check_process()
        left_s = self._left_s()
        while True:
            taken = self._producer.slot.take(left_s)
            if taken is not None:
                return replace(taken.item, skipped=taken.skipped)
            if self._producer.slot.ended:
                self._check_end()
                return None
            self._check_stall()
            left_s = self._left_s() or self._stall_s  # it was said

    def __iter__(self) -> Iterator[NewestFrame]:
        """Yield the newest frame each time, until the source ends; see next."""
        while (frame := self.next()) is not None:
            yield frame

    def stop(self) -> None:
        """Let `next` return None from now on; from any thread, and from the handler of a signal."""
        self._producer.stop()

    def close(self) -> None:
        """Stop, and give the source back; safe to call twice."""
        self._producer.stop()
        if getpid() == self._process and not self._producer.join(CLOSE_S):
            logger.warning("depthrt: %s still blocks after %g s; it is closed when it answers", self.title, CLOSE_S)

    def __del__(self) -> None:
        with suppress(Exception):  # half made, or at the end of the interpreter
            self._producer.stop()

    def _left_s(self) -> float:
        """Return how long the source may still be silent."""
        return max(self._producer.alive_s + self._stall_s - monotonic(), 0.0)

    def _check_end(self) -> None:
        """Raise InputError if the source ended otherwise than it should."""
        if self._producer.wrong is not None:
            raise InputError(f"{self.title} {self._producer.wrong}") from self._producer.cause

    def _check_stall(self) -> None:
        """Raise InputError, or say so once, if the source has stalled."""
        alive_s = self._producer.alive_s
        if monotonic() - alive_s < self._stall_s:
            return
        if not self._reconnect:
            raise InputError(
                f"{self.title} gave no frame for {self._stall_s:g} s; check it, or set reconnect (--reconnect)"
            )
        if self._producer.connected and alive_s != self._said_stall_s:
            self._said_stall_s = alive_s
            logger.warning("depthrt: %s gave no frame for %g s", self.title, self._stall_s)

    def _check_process(self) -> None:
        if getpid() != self._process:
            raise InputError(
                "this LatestFrame was made in another process, and its thread does not survive a fork; make one here"
            )
