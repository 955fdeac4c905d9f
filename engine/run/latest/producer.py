"""The thread behind a LatestFrame: it opens a source, reads it as fast as it gives, and opens it again if asked to."""

from __future__ import annotations

import logging
from threading import Thread
from time import monotonic, time_ns

from ...errors import InputError
from ..video.frames import FrameReader
from .newest_frame import NewestFrame
from .open_source import Feed
from .slot import Slot

FIRST_WAIT_S, MOST_WAIT_S = 0.5, 30.0  # before a source is opened again; doubled each time that it gives nothing
_LEAST_STEP_S = 1e-3  # between the times of two frames

logger = logging.getLogger("depthrt")


class Producer:
    """Reads a source in a thread until it ends or is stopped.

    Args:
        feed: The source.
        reconnect: Open a live source again after it broke.
    """

    def __init__(self, feed: Feed, *, reconnect: bool) -> None:
        self.slot: Slot[NewestFrame] = Slot()
        self.alive_s = monotonic()  # when the source last gave a frame, or was opened
        self.connected = False
        self.opened = 0  # times
        self.wrong: str | None = None  # with a source, after its end; without its title
        self.cause: Exception | None = None
        self.fps: float | None = None
        self._feed, self._reconnect = feed, reconnect and feed.again
        self._last_s = self.alive_s  # arrival of the last frame
        self._time_s: float | None = None  # of the last frame; None before the first
        self._broke = False  # it was said, and no frame came since
        self._reader = self._first_reader()
        self._thread = Thread(target=self._work, name="depthrt-latest", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; from any thread, and from the handler of a signal."""
        self.slot.end()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; return whether it has ended, which it cannot while the source blocks."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _first_reader(self) -> FrameReader | None:
        """Open the source in the caller's thread, who hears if it cannot be opened."""
        try:
            return self._open()
        except InputError as error:
            if not self._reconnect:
                raise
            self._say_break(f"{error}; it is tried again")
            return None

    def _open(self) -> FrameReader:
        reader = self._feed.open()
        self.fps, self.alive_s, self.connected, self.opened = reader.fps, monotonic(), True, self.opened + 1
        return reader

    def _work(self) -> None:
        wait_s = FIRST_WAIT_S
        if self._reader is None:
            self.slot.wait_end(wait_s)
        try:
            while not self.slot.ended:
                received = self.slot.received
                wrong = self._read_to_the_end()
                if self.slot.ended:
                    return
                if wrong is None or not self._reconnect:
                    self.wrong = wrong
                    return
                wait_s = FIRST_WAIT_S if self.slot.received > received else wait_s
                self._say_break(f"{self._feed.title} {wrong}; opened again in {wait_s:g} s")
                self.slot.wait_end(wait_s)
                wait_s = min(2 * wait_s, MOST_WAIT_S)
        finally:
            self.slot.end()

    def _read_to_the_end(self) -> str | None:
        """Read the source until it ends; return what is wrong with that, None if nothing is."""
        try:
            reader = self._reader or self._open()
            self._reader = None
            with reader:
                self._read_all(reader)
                return self._why(reader)
        except InputError as error:
            self.cause = error
            own, text = f"{self._feed.title} ", str(error)
            return text.removeprefix(own) if text.startswith(own) else f"failed: {text}"
        except Exception as error:  # of a function or an iterable, which can raise anything
            self.cause = error
            return f"failed ({type(error).__name__}: {error})"
        finally:
            self.connected = False

    def _read_all(self, reader: FrameReader) -> None:
        """Put each frame of a reader into the slot."""
        begun_s: float | None = None  # when the first frame of a file was due
        later_s = 0.0
        while not self.slot.ended:
            frame = reader.next()
            if frame is None:
                return
            begun_s = monotonic() - frame.time_s if begun_s is None else begun_s
            if self._feed.paced:
                self.alive_s = begun_s + frame.time_s  # until then nobody waits in vain
                self.slot.wait_end(max(self.alive_s - monotonic(), 0))
            self.alive_s = monotonic()
            if reader.given == 1:
                later_s = self._resume(frame.time_s)
            self._last_s, self._time_s = self.alive_s, frame.time_s + later_s
            stamp_ns = time_ns() if frame.stamp_ns is None else frame.stamp_ns
            self.slot.put(NewestFrame(frame.image, self._time_s, stamp_ns, self.alive_s))

    def _resume(self, time_s: float) -> float:
        """Return what is added to the times of a reader, each of which begins at 0, so that time goes on."""
        away_s = self.alive_s - self._last_s
        if self._broke:
            logger.warning("depthrt: %s is back after %.1f s", self._feed.title, away_s)
            self._broke = False
        return 0.0 if self._time_s is None else self._time_s + max(away_s, _LEAST_STEP_S) - time_s

    def _say_break(self, text: str) -> None:
        self._broke = True
        logger.warning("depthrt: %s", text)

    def _why(self, reader: FrameReader) -> str | None:
        """Return what is wrong with a reader that gave its last frame."""
        if self.slot.ended:
            return None
        return reader.shortfall() if reader.given else reader.nothing()
