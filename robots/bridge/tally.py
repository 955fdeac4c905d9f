"""What a bridge has done: counts and ages, of the last second and since it began, in memory of fixed size."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

_STEP = 1.02  # between the ages that are told apart
_AGES_MS: tuple[float, ...] = tuple(0.1 * _STEP**number for number in range(700))  # up to 28 h
WINDOW_MOST = 10_000  # ages of a window that are kept


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What came of a topic so far.

    Args:
        received: Messages that came.
        dropped: Those that newer ones replaced before their turn.
        lost: Those that their publisher sent and that did not come, by their numbers.
    """

    received: int = 0
    dropped: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a time.

    Args:
        seconds: Its length.
        received: Images that came.
        published: Depths that went out.
        dropped: Images that newer ones replaced before their turn.
        failed: Images without depth for an error.
        lost: Images that their publisher sent and that did not come.
        age_ms: Of the depths that went out, from the arrival of the image in this process to the moment when the depth
            was sent: (50th, 99th percentile); None if there was none.
        stamp_age_ms: Median of the time from the image's stamp to the same moment, which holds what came before, and
            how much the clocks of two machines differ; None if there was none.
    """

    seconds: float
    received: int
    published: int
    dropped: int
    failed: int
    lost: int
    age_ms: tuple[float, float] | None
    stamp_age_ms: float | None

    @property
    def rate_in(self) -> float:
        """Return the images a second that came."""
        return self.received / self.seconds if self.seconds else 0.0

    @property
    def rate_out(self) -> float:
        """Return the depths a second that went out."""
        return self.published / self.seconds if self.seconds else 0.0


class Tally:
    """Counts what a bridge does; from any thread.

    Args:
        begun_s: Now, of the clock that `time.monotonic` reads.
    """

    def __init__(self, begun_s: float) -> None:
        self._lock = Lock()
        self._begun_s = self._since_s = begun_s
        self._before = Arrivals()  # at the begin of the window, as the next two
        self._published_before = self._failed_before = 0
        self._published = self._failed = 0
        self._ages: list[float] = []
        self._stamp_ages: list[float] = []
        self._bins = [0] * (len(_AGES_MS) + 1)

    def publish(self, age_ms: float, stamp_age_ms: float) -> None:
        """Count a depth that went out."""
        with self._lock:
            self._published += 1
            self._bins[bisect_left(_AGES_MS, age_ms)] += 1
            if len(self._ages) < WINDOW_MOST:
                self._ages.append(age_ms)
                self._stamp_ages.append(stamp_age_ms)

    def fail(self) -> None:
        """Count an image that has no depth for an error."""
        with self._lock:
            self._failed += 1

    def window(self, now_s: float, arrivals: Arrivals) -> Counts:
        """Return the counts since the last call, and begin the next window.

        Args:
            arrivals: Of the images since the bridge began.
        """
        with self._lock:
            ages, stamp_ages = sorted(self._ages), sorted(self._stamp_ages)
            found = Counts(
                now_s - self._since_s,
                arrivals.received - self._before.received,
                self._published - self._published_before,
                arrivals.dropped - self._before.dropped,
                self._failed - self._failed_before,
                arrivals.lost - self._before.lost,
                (_share(ages, 0.5), _share(ages, 0.99)) if ages else None,
                _share(stamp_ages, 0.5) if stamp_ages else None,
            )
            self._since_s, self._before = now_s, arrivals
            self._published_before, self._failed_before = self._published, self._failed
            self._ages, self._stamp_ages = [], []
        return found

    def total(self, now_s: float, arrivals: Arrivals) -> Counts:
        """Return the counts since the bridge began; ages are right to 2 %, and those from the stamp are not kept."""
        with self._lock:
            pair = (_of_bins(self._bins, 0.5), _of_bins(self._bins, 0.99)) if self._published else None
            return Counts(
                now_s - self._begun_s,
                arrivals.received,
                self._published,
                arrivals.dropped,
                self._failed,
                arrivals.lost,
                pair,
                None,
            )


def _share(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of values lies: one of them, the nearest above."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _of_bins(bins: Sequence[int], share: float) -> float:
    rank, below = min(int(share * sum(bins)), sum(bins) - 1), 0
    for number, count in enumerate(bins):
        below += count
        if below > rank:
            return _AGES_MS[min(number, len(_AGES_MS) - 1)]
    raise AssertionError("no age was counted")
