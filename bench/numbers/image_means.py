"""Means over images with 95 % bootstrap intervals: of a figure, and of its change between two models.

Images of one scene are alike, so scenes are drawn, with all their images; with few scenes, images are drawn.
Source: Efron and Tibshirani 1993, chapters 6 and 13 (percentile interval); widened by Student's t for few draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .evaluation import Moved
from .result import Interval
from .statistics import RESAMPLES, TAILS, Float64, widening

LEAST_SCENES = 5  # fewer would not show how scenes differ


class Draws:
    """The same draws of images for every figure, so that two models are compared on the same images.

    Args:
        scenes: Of each image, in order.
        seed: Of the bootstrap.
    """

    def __init__(self, scenes: Sequence[str], *, seed: int = 0) -> None:
        names = dict.fromkeys(scenes)
        self.by_scene = LEAST_SCENES <= len(names) < len(scenes)
        numbers = {name: number for number, name in enumerate(names)}
        groups = [numbers[scene] for scene in scenes] if self.by_scene else range(len(scenes))
        self._groups = np.fromiter(groups, np.intp, len(scenes))
        self.count = len(names) if self.by_scene else len(scenes)
        even = np.full(self.count, 1 / max(1, self.count))
        # How often each is drawn, (RESAMPLES, groups).
        self._drawn = np.random.default_rng(seed).multinomial(self.count, even, RESAMPLES).astype(np.float64)

    def mean(self, values: Sequence[float]) -> Interval | None:
        """Return the mean of a figure with its interval; None if no image has it.

        Args:
            values: One for each image, NaN if the image does not have it.
        """
        found = np.asarray(values, np.float64)
        known = np.isfinite(found)
        if not known.any():
            return None
        mean = self._interval(float(found[known].mean()), self._means(found, known), known)
        return Interval(mean.value, max(0.0, mean.low), mean.high) if found[known].min() >= 0 else mean

    def moved(self, before: Sequence[float], after: Sequence[float]) -> Moved | None:
        """Return the change of a figure over the images that both have; None if there is none."""
        old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
        known = np.isfinite(old) & np.isfinite(new)
        if not known.any():
            return None
        was, now = float(old[known].mean()), float(new[known].mean())
        drawn_was, drawn_now = self._means(old, known), self._means(new, known)
        absolute = self._interval(now - was, drawn_now - drawn_was, known)
        return Moved(was, now, absolute, self._relative(now / was if was > 0 else 0.0, drawn_was, drawn_now, known))

    def _relative(
        self, ratio: float, drawn_was: Float64, drawn_now: Float64, known: NDArray[np.bool_]
    ) -> Interval | None:
        """Return a ratio less 1 with its interval; None if a draw was 0 or below, which nothing is relative to.

        On logarithms if all draws are positive: widened, the interval of a fall stays above -100 %.
        """
        if drawn_was.min() <= 0:
            return None
        if drawn_now.min() <= 0:
            return self._interval(ratio - 1, drawn_now / drawn_was - 1, known)
        logs = self._interval(float(np.log(ratio)), np.log(drawn_now / drawn_was), known)
        return Interval(ratio - 1, float(np.expm1(logs.low)), float(np.expm1(logs.high)))

    def _means(self, values: Float64, known: NDArray[np.bool_]) -> Float64:
        """Return the mean over the known values in each draw that has any, (draws,)."""
        sums = np.bincount(self._groups, np.where(known, values, 0), self.count)
        counts = np.bincount(self._groups, known, self.count)
        drawn = self._drawn @ counts
        found: Float64 = (self._drawn @ sums)[drawn > 0] / drawn[drawn > 0]
        return found

    def _interval(self, value: float, drawn: Float64, known: NDArray[np.bool_]) -> Interval:
        low, high = np.percentile(drawn, TAILS)
        wider = widening(len(np.unique(self._groups[known])))
        return Interval(
            value, value - max(0.0, value - float(low)) * wider, value + max(0.0, float(high) - value) * wider
        )
