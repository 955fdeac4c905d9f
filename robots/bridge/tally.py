"""What a bridge has done: counts and ages, of the last second and since it began, in memory of fixed size."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any

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
class Answers:
    """What became of the images that had their turn, so far.

    Args:
        published: Depths that went out.
        failed: Images without depth for an error.
        no_floor: Depths that went out without points, as the gate found no floor.
    """

    published: int = 0
    failed: int = 0
    no_floor: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a time.

    Args:
        seconds: Its length.
        received, dropped, lost: Images, as in Arrivals.
        published, failed, no_floor: As in Answers.
        age_ms: Of the depths that went out, from the arrival of the image in this process to the moment when the depth
            was sent: (50th, 99th percentile); None if there was none.
        stamp_age_ms: Median of the time from the image's stamp to the same moment, which holds what came before, and
            how much the clocks of two machines differ; None if there was none.
    """

    seconds: float
    received: int = 0
    dropped: int = 0
    lost: int = 0
    published: int = 0
    failed: int = 0
    no_floor: int = 0
    age_ms: tuple[float, float] | None = None
    stamp_age_ms: float | None = None

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
        self._answers = Answers()
        self._before = self._sums(Arrivals())  # at the begin of the window
        self._ages: list[float] = []
        self._stamp_ages: list[float] = []
        self._bins = [0] * (len(_AGES_MS) + 1)

    def publish(self, age_ms: float, stamp_age_ms: float, *, no_floor: bool = False) -> None:
        """Count a depth that went out."""
        with self._lock:
            done = self._answers
            self._answers = replace(done, published=done.published + 1, no_floor=done.no_floor + no_floor)
            self._bins[bisect_left(_AGES_MS, age_ms)] += 1
            if len(self._ages) < WINDOW_MOST:
                self._ages.append(age_ms)
                self._stamp_ages.append(stamp_age_ms)

    def fail(self) -> None:
        """Count an image that has no depth for an error."""
        with self._lock:
            self._answers = replace(self._answers, failed=self._answers.failed + 1)

    def window(self, now_s: float, arrivals: Arrivals) -> Counts:
        """Return the counts since the last call, and begin the next window.

        Args:
            arrivals: Of the images since the bridge began.
        """
        with self._lock:
            ages, stamp_ages, sums = sorted(self._ages), sorted(self._stamp_ages), self._sums(arrivals)
            found = Counts(
                now_s - self._since_s,
                **{name: count - self._before[name] for name, count in sums.items()},
                age_ms=(_share(ages, 0.5), _share(ages, 0.99)) if ages else None,
                stamp_age_ms=_share(stamp_ages, 0.5) if stamp_ages else None,
            )
            self._since_s, self._before = now_s, sums
            self._ages, self._stamp_ages = [], []
        return found

    def total(self, now_s: float, arrivals: Arrivals) -> Counts:
        """Return the counts since the bridge began; ages are right to 2 %, and those from the stamp are not kept."""
        with self._lock:
            some = self._answers.published > 0
            ages_ms = (_of_bins(self._bins, 0.5), _of_bins(self._bins, 0.99)) if some else None
            return Counts(now_s - self._begun_s, **self._sums(arrivals), age_ms=ages_ms)

    def _sums(self, arrivals: Arrivals) -> dict[str, Any]:
        """Return what came and what became of it, by its name in Counts."""
        return asdict(arrivals) | asdict(self._answers)


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
