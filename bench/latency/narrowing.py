"""Further rounds until each subject's speed against the reference is known well enough, or a limit is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ...engine.terms import TimedScope
from ..numbers.figures import MAIN_SCOPE
from ..numbers.result import Interval
from ..numbers.statistics import compare_medians
from .turns import More, Series, milliseconds

LOOK_EVERY = 10  # rounds between two looks: more looks stop more often by luck


@dataclass(frozen=True, slots=True)
class Narrowing:
    """When the further rounds end.

    Args:
        most_rounds: Limit, the planned rounds included.
        width: Half a speed's 95 % interval, over the speed, that is narrow enough. Two reports of 2 % each tell a
            slow-down of 10 % from a slow-down of 3 %.
    """

    most_rounds: int = 120
    width: float = 0.02

    def against(self, reference: str) -> More:
        """Return the `more` of take_turns for speeds against the subject `reference`."""
        return partial(self._next, reference)

    def is_narrow(self, speed: Interval) -> bool:
        """Whether a speed is known well enough."""
        return speed.high - speed.low <= 2 * self.width * speed.value

    def _next(
        self, reference: str, done: int, series: Mapping[str, Mapping[TimedScope, Series]]
    ) -> tuple[TimedScope, ...]:
        """Return the scopes of the round after `done` rounds: the main scope, or none to end."""
        timed = {name: milliseconds(scopes[MAIN_SCOPE]) for name, scopes in series.items() if MAIN_SCOPE in scopes}
        base = timed.pop(reference, None)
        if base is None or not timed or done >= self.most_rounds:
            return ()
        if done % LOOK_EVERY:
            return (MAIN_SCOPE,)
        per_round = len(base) // done
        speeds = (compare_medians(times, base, per_round=per_round, paired=True) for times in timed.values())
        return () if all(map(self.is_narrow, speeds)) else (MAIN_SCOPE,)
