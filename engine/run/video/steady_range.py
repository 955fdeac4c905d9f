"""The depth of a video's frames in, the range of its colours out: steady within a scene, chosen again after a cut.

Colours between the extremes of each frame flicker, because one thing that comes and goes moves them all. Here a scene
begins with the range of its first frames together and then follows the frames slowly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...depth.depth import Depth
from .frames import Frame

Range = tuple[float, float]

FIRST_FRAMES = 16  # of a scene are held until they are painted with the range of them all
_MOST_HELD_MIB = 128
_PERCENT = 0.5  # of a frame's values that lie below its range, and as many above
_SAMPLES = 1 << 15  # values of a frame that are looked at, about
_MEMORY_S, _MEMORY_FRAMES = 10.0, 50  # the range covers what was seen so long, and in so many frames at least
_FOLLOW_S, _MOST_STEP = 4.0, 0.02  # time constant of the way to a new range, and largest part of it in a frame
_THUMB_PX = 32
_CHANGED_LEVELS, _CHANGED_SPREADS = 4.0, 0.5  # a part of a picture differs from this on: gray levels, and spreads
_CUT_CHANGED, _CUT_ALIKE = 0.6, 0.6  # at a cut more parts than this differ, and the pictures correlate less than this
_CUT_OUTSIDE = 0.5  # of the values outside the range: it belongs to another scene
_MARGIN = 0.5  # of the span that codes of a frame cover, on each side, so that they seldom need another scale
_MOST_UNUSED = 16  # span of the codes over that of a frame: 12 of 16 bits are left


@dataclass(frozen=True, slots=True)
class Painted:
    """A frame, its depth, and the range of its colours; None for the extremes of the frame."""

    depth: Depth
    frame: Frame
    value_range: Range | None


class SteadyRange:
    """Chooses the range of each frame of a video. Frames at the start of a scene are held back for a while.

    Args:
        value_range: A range that the user gives for all frames; then none is held back.
    """

    def __init__(self, value_range: Range | None = None) -> None:
        self._given = value_range
        self._held: list[tuple[Depth, Frame]] = []
        self._seen: deque[tuple[float, Range]] = deque()  # (time, range) of the frames that are remembered
        self._range: Range | None = None  # None while frames are held
        self._time_s = 0.0
        self._thumb: NDArray[np.float32] | None = None

    def add(self, depth: Depth, frame: Frame) -> Iterator[Painted]:
        """Take the next frame; yield those whose range is decided, in order."""
        if self._given is not None:
            yield Painted(depth, frame, self._given)
            return
        values = _sample(depth)
        thumb = _thumbnail(frame.image)
        if self._is_cut(thumb, values):
            yield from self.rest()
            self._seen.clear()
            self._range = None
        self._thumb = thumb
        self._remember(frame.time_s, values)
        if self._range is None:
            self._held.append((depth, frame))
            if self._is_full():
                yield from self.rest()
        else:
            self._range = self._followed(self._range, frame.time_s)
            self._time_s = frame.time_s
            yield Painted(depth, frame, _usable(self._range))

    def rest(self) -> Iterator[Painted]:
        """Yield the frames that are held back."""
        held, self._held = self._held, []
        if not held:
            return
        self._range = self._wanted()
        self._time_s = held[-1][1].time_s
        for depth, frame in held:
            yield Painted(depth, frame, _usable(self._range))

    def _is_full(self) -> bool:
        depth, frame = self._held[0]
        held_mib = len(self._held) * (depth.values.nbytes + depth.valid.nbytes + frame.image.nbytes) / 2**20
        return len(self._held) >= FIRST_FRAMES or held_mib > _MOST_HELD_MIB

    def _is_cut(self, thumb: NDArray[np.float32], values: NDArray[np.float64]) -> bool:
        """Whether a frame begins another scene."""
        if self._thumb is not None and _differs(self._thumb, thumb):
            return True
        if self._range is None or not values.size:
            return False
        return float(np.mean((values < self._range[0]) | (values > self._range[1]))) > _CUT_OUTSIDE

    def _remember(self, time_s: float, values: NDArray[np.float64]) -> None:
        if values.size:
            low, high = np.percentile(values, (_PERCENT, 100 - _PERCENT)).tolist()
            self._seen.append((time_s, (low, high)))
        while len(self._seen) > _MEMORY_FRAMES and self._seen[0][0] < time_s - _MEMORY_S:
            self._seen.popleft()

    def _wanted(self) -> Range | None:
        """Return the range of all frames that are remembered."""
        if not self._seen:
            return None
        ranges = [found for _, found in self._seen]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def _followed(self, now: Range, time_s: float) -> Range:
        """Return a range a step nearer to the one that is wanted."""
        low, high = self._wanted() or now
        step = min((time_s - self._time_s) / _FOLLOW_S, _MOST_STEP)
        return now[0] + step * (low - now[0]), now[1] + step * (high - now[1])


class CodeRange:
    """Chooses the range of the codes of unitless png16 frames: nothing is clipped, and the scale seldom changes."""

    def __init__(self) -> None:
        self._range: Range | None = None

    def of(self, depth: Depth) -> Range | None:
        """Return the range of the next frame; None for a frame without a valid value, or with equal ones only."""
        inside = depth.values[depth.valid]
        if not inside.size:
            return None
        low, high = float(inside.min()), float(inside.max())
        if self._range is not None and high - low < (self._range[1] - self._range[0]) / _MOST_UNUSED:
            self._range = None  # the codes would be coarse
        before = self._range or (high, low)
        if low < before[0] or high > before[1]:
            low, high = min(low, before[0]), max(high, before[1])
            margin = _MARGIN * (high - low)
            self._range = low - margin, high + margin
        return _usable(self._range)


def _usable(found: Range | None) -> Range | None:
    """Return a range, or None if float32 does not tell its ends apart or does not hold them."""
    if found is None:
        return None
    with np.errstate(over="ignore"):
        low, high = np.float32(found[0]), np.float32(found[1])
    return found if np.isfinite(low) and np.isfinite(high) and low < high else None


def _sample(depth: Depth) -> NDArray[np.float64]:
    """Return valid values on a grid over the picture."""
    step = max(1, round((depth.values.size / _SAMPLES) ** 0.5))
    return depth.values[::step, ::step][depth.valid[::step, ::step]].astype(np.float64)


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a small gray copy of a picture."""
    small = cv2.resize(image, (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA)  # (w, h)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32)


def _differs(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether two pictures show different scenes: most parts differ, and more than their light does."""
    spread = max(float(before.std()), float(after.std()))
    changed = np.abs(after - before) > max(_CHANGED_LEVELS, _CHANGED_SPREADS * spread)
    if float(changed.mean()) <= _CUT_CHANGED:
        return False
    a, b = before - before.mean(), after - after.mean()
    product = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return product == 0 or float((a * b).sum()) / product < _CUT_ALIKE
