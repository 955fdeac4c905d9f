"""Rounds go on until it is known well enough how fast each subject is against the reference, or a limit is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..numbers.figures import MAIN_SCOPE
from ..numbers.result import Interval
from ..numbers.statistics import compare_medians
from .turns import More, Series, milliseconds

LOOK_EVERY = 10  # rounds from one look to the next: who looks more often stops more often by luck


@dataclass(frozen=True, slots=True)
class Narrowing:
    """When rounds beyond a plan's end.

    Args:
        most_rounds: No more than these, the plan's included.
        width: Half a speed's 95 % interval, as a part of the speed, that is narrow enough. Two reports with 2 % each
            tell a slow-down of 10 % from one of 3 %.
    """

    most_rounds: int = 120
    width: float = 0.02

    def against(self, reference: str) -> More:
        """Return what take_turns takes as `more`, for speeds against the subject `reference`."""
        return partial(self._next, reference)

    def is_narrow(self, speed: Interval) -> bool:
        """Whether a speed is known well enough."""
        return speed.high - speed.low <= 2 * self.width * speed.value

    def _next(self, reference: str, done: int, series: Mapping[str, Mapping[str, Series]]) -> tuple[str, ...]:
        """Return the scopes of the next round after `done` ones: the main one, or none when all is known."""
        timed = {name: milliseconds(one[MAIN_SCOPE]) for name, one in series.items() if MAIN_SCOPE in one}
        base = timed.pop(reference, None)
        if base is None or not timed or done >= self.most_rounds:
            return ()
        if done % LOOK_EVERY:
            return (MAIN_SCOPE,)
        speeds = (compare_medians(one, base, per_round=len(base) // done, paired=True) for one in timed.values())
        return () if all(map(self.is_narrow, speeds)) else (MAIN_SCOPE,)
