"""Small plots as inline SVG. Positions are in percent: plots fit any width while lines and text keep their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..numbers.result import Interval
from ..numbers.wording import digits

STRIP_PX = 18  # height of one subject's strip
AXIS_PX = 22
LOG_FROM = 12.0  # largest over smallest value; a linear axis would hide the small values above it
RUG = 60  # most samples in a strip; more only darken it
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis that several strips share.

    Args:
        low, high: Its ends.
        log: Whether steps are factors.
    """

    low: float
    high: float
    log: bool

    def at(self, value: float) -> float:
        """Return the position of a value in percent of the width; values outside are at the ends."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return 100 * math.log(value / self.low) / math.log(self.high / self.low)
        return 100 * (value - self.low) / (self.high - self.low)

    def ticks(self) -> tuple[float, ...]:
        """Return the round values of the axis."""
        if self.log:
            return self._log_ticks()
        step = _round_step((self.high - self.low) / _TICKS)
        return tuple(self.low + step * number for number in range(math.floor((self.high - self.low) / step + 1e-9) + 1))

    def _log_ticks(self) -> tuple[float, ...]:
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        leads = (1,) if len(decades) > _TICKS else (1, 3)
        found = (lead * 10.0**decade for decade in decades for lead in leads)
        return tuple(value for value in found if self.low <= value <= self.high)


def fit_axis(values: Sequence[float], *, log: bool | None = None) -> Axis:
    """Return the axis that shows all values: from 0, or logarithmic if they are far apart.

    Args:
        values: Values that are not finite are ignored; a logarithmic axis also ignores 0 and below.
        log: None chooses by the values.
    """
    shown = [value for value in values if math.isfinite(value) and value >= 0]
    positive = [value for value in shown if value > 0]
    if not positive:
        return Axis(0.0, 1.0, False)
    high = max(positive)
    if log if log is not None else high > LOG_FROM * min(positive):
        return Axis(min(positive) / 1.3, high * 1.15, True)
    return Axis(0.0, high * 1.02, False)


def axis_svg(axis: Axis, unit: str) -> str:
    """Return the axis: a line, ticks and their values, the unit after the last value."""
    ticks = axis.ticks()
    unit = f"{unit}, log" if axis.log else unit
    parts = ['<line class="axis" x1="0" x2="100%" y1="0.5" y2="0.5"/>']
    for number, tick in enumerate(ticks):
        at = axis.at(tick)
        anchor = "start" if at < 4 else "end" if at > 92 else "middle"
        label = f"{_tick_text(tick)} {unit}" if number == len(ticks) - 1 else _tick_text(tick)
        parts.append(f'<line class="axis" x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="4"/>')
        parts.append(f'<text x="{at:.2f}%" y="17" text-anchor="{anchor}">{label}</text>')
    return _svg("".join(parts), AXIS_PX)


def strip_svg(
    axis: Axis,
    middle: Interval,
    *,
    samples: Sequence[float] = (),
    tail: float | None = None,
    limit: float | None = None,
) -> str:
    """Return one subject's times: samples as faint ticks, a dot at the median, a bar for its interval.

    Args:
        axis: Shared with the other strips.
        middle: The median.
        samples: All samples; RUG of them are shown, evenly by rank.
        tail: A high percentile, marked by a short line; None for none.
        limit: The longest acceptable time, marked by a line from top to bottom; None for none.
    """
    parts = [_grid(axis)]
    if limit is not None and axis.low <= limit <= axis.high:
        parts.append(f'<line class="limit" x1="{axis.at(limit):.2f}%" x2="{axis.at(limit):.2f}%" y1="0" y2="100%"/>')
    shown = [value for value in _by_rank(samples) if axis.low <= value <= axis.high]
    if shown:
        path = "".join(f"M{10 * axis.at(value):.0f} 4v10" for value in shown)
        parts.append(
            f'<svg viewBox="0 0 1000 {STRIP_PX}" preserveAspectRatio="none" width="100%" height="{STRIP_PX}">'
            f'<path class="rug" d="{path}" vector-effect="non-scaling-stroke"/></svg>'
        )
    if tail is not None:
        at = axis.at(tail)
        parts.append(f'<line class="mark" x1="{at:.2f}%" x2="{at:.2f}%" y1="3" y2="15"/>')
    low, high, at = axis.at(middle.low), axis.at(middle.high), axis.at(middle.value)
    parts.append(f'<rect class="interval" x="{low:.2f}%" y="6" width="{max(0.0, high - low):.2f}%" height="6" rx="2"/>')
    parts.append(f'<circle class="dot" cx="{at:.2f}%" cy="9" r="3.5"/>')
    return _svg("".join(parts), STRIP_PX)


def bar_svg(axis: Axis, value: Interval) -> str:
    """Return a bar from the axis's start, with a whisker if the value has an interval."""
    parts = [_grid(axis), f'<rect class="bar" x="0" y="4" width="{axis.at(value.value):.2f}%" height="10" rx="1"/>']
    if value.low < value.high:
        low, high = axis.at(value.low), axis.at(value.high)
        parts.append(f'<line class="whisker" x1="{low:.2f}%" x2="{high:.2f}%" y1="9" y2="9"/>')
    return _svg("".join(parts), STRIP_PX)


def stack_svg(axis: Axis, parts: Sequence[tuple[int, float]]) -> str:
    """Return a bar of consecutive parts; a part is (number of its colour, value)."""
    shown, start = [_grid(axis)], 0.0
    for colour, value in parts:
        left, right = axis.at(start), axis.at(start + value)
        shown.append(
            f'<rect class="part c{colour}" x="{left:.2f}%" y="3" width="{max(0.0, right - left):.2f}%" height="12"/>'
        )
        start += value
    return _svg("".join(shown), STRIP_PX)


def dots_svg(axis: Axis, values: Sequence[float]) -> str:
    """Return a dot for each value."""
    dots = "".join(f'<circle class="dot faint" cx="{axis.at(value):.2f}%" cy="9" r="3.5"/>' for value in values)
    return _svg(_grid(axis) + dots, STRIP_PX)


def columns_svg(values: Sequence[float], highest: float, *, height_px: int = 44) -> str:
    """Return small columns side by side; `highest` fills the height."""
    width = 100 / max(1, len(values))
    shown = []
    for number, value in enumerate(values):
        size = 0.0 if highest <= 0 else min(1.0, value / highest) * (height_px - 2)
        left = number * width + 0.06 * width
        shown.append(
            f'<rect class="bar" x="{left:.2f}%" y="{height_px - 1 - size:.1f}" width="{0.88 * width:.2f}%" '
            f'height="{size:.1f}" rx="1"/>'
        )
    shown.append(f'<line class="axis" x1="0" x2="100%" y1="{height_px - 0.5}" y2="{height_px - 0.5}"/>')
    return _svg("".join(shown), height_px)


def _svg(content: str, height_px: int) -> str:
    # The figures are text beside each plot, so a screen reader loses nothing.
    return f'<svg class="plot" width="100%" height="{height_px}" aria-hidden="true">{content}</svg>'


def _grid(axis: Axis) -> str:
    positions = [axis.at(tick) for tick in axis.ticks()]
    return "".join(f'<line class="grid" x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="100%"/>' for at in positions)


def _by_rank(samples: Sequence[float]) -> list[float]:
    ordered = sorted(samples)
    step = max(1.0, (len(ordered) - 1) / (RUG - 1))
    return [ordered[round(number * step)] for number in range(min(len(ordered), RUG))]


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(round_step for round_step in _STEPS if round_step * power >= step * (1 - 1e-9))


def _tick_text(tick: float) -> str:
    return digits(tick) if 0 < tick < 0.001 else f"{tick:g}"
