"""The change of one figure between two reports, with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..numbers.figures import Figure
from ..numbers.result import Interval
from ..numbers.statistics import ALARM
from ..numbers.wording import amount, change


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one figure of one subject.

    Args:
        subject: Name.
        figure: The figure.
        of: The data set, "" without.
        before, after: Values with their intervals; low and high equal the value if it has no noise.
        relative: The change over the value before: 0.05 is 5 % more.
        absolute: The change in the figure's unit.
        doubt: Why the intervals do not show what changed; "" if they do.
    """

    subject: str
    figure: Figure
    of: str
    before: Interval
    after: Interval
    relative: Interval
    absolute: Interval
    doubt: str = ""

    @property
    def clear(self) -> bool:
        """Whether it is more than noise; for a computed figure, which has none, whether it changed at all."""
        if self.doubt:
            return False
        least = ALARM if self.before.low < self.before.high else 0.0
        return self.relative.low > least or self.relative.high < -least

    def line(self) -> str:
        """Return it as one line of text."""
        unit = self.figure.unit
        of = f" on {self.of}" if self.of else ""
        return f"{self.figure.title}{of} {amount(self.before.value, unit)} -> {amount(self.after.value, unit)}: " + (
            _points(self.absolute) if unit == "share" else percent_change(self.relative)
        )


def change_of(figure: Figure, subject: str, of: str, before: Interval, after: Interval, *, doubt: str = "") -> Change:
    """Return how a figure of a subject changed; arguments as in Change."""
    changes = relative_change(before, after), absolute_change(before, after)
    return Change(subject, figure, of, before, after, *changes, doubt)


def relative_change(before: Interval, after: Interval) -> Interval:
    """Return the growth of a positive figure over its value before, with the 95 % interval.

    The two intervals are combined as those of independent figures, on logarithms.
    Source: Zou and Donner 2008 (MOVER).
    """
    if min(before.value, after.value) <= 0 or not math.isfinite(before.value + after.value):
        return _exact_change(before.value, after.value)
    difference = absolute_change(_log(before), _log(after))
    return Interval(math.expm1(difference.value), math.expm1(difference.low), math.expm1(difference.high))


def absolute_change(before: Interval, after: Interval) -> Interval:
    """Return the growth of a figure in its unit, with the 95 % interval. Source: as relative_change."""
    value = after.value - before.value
    down = math.hypot(after.value - after.low, before.high - before.value)
    up = math.hypot(after.high - after.value, before.value - before.low)
    return Interval(value, value - down, value + up)


def _exact_change(before: float, after: float) -> Interval:
    """Return the relative change of a figure that has no logarithm, as one value without an interval."""
    if before == after:
        return Interval(0.0, 0.0, 0.0)
    value = (after - before) / abs(before) if before else math.copysign(math.inf, after)
    return Interval(value, value, value)


def _log(interval: Interval) -> Interval:
    low = math.log(interval.low) if interval.low > 0 else -math.inf
    return Interval(math.log(interval.value), low, math.log(interval.high))


def percent_change(value: Interval) -> str:
    """Return a relative change with its interval: "+5.2 % (95 % +3.1 % to +7.4 %)"."""
    if value.low == value.high:
        return change(value.value)
    return f"{change(value.value)} (95 % {change(value.low)} to {change(value.high)})"


def _points(value: Interval) -> str:
    """Return the change of a share in points: a percentage of a percentage misleads."""
    return f"{value.value * 100:+.3g} points"
