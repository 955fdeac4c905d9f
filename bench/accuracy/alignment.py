"""The scale, or scale and shift, that brings predicted depth to measured depth before it is judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.terms import ALIGNMENTS, Alignment

Float64 = NDArray[np.float64]


def fit_alignment(predicted: Float64, target: Float64, alignment: Alignment) -> tuple[float, float]:
    """Return the (scale, shift) with which predicted * scale + shift comes closest to target.

    "none" is (1, 0). "scale" is the ratio of the medians (Zhou et al. 2017, SfMLearner). "scale-and-shift" is
    the least squares of the difference (Ranftl et al. 2020, MiDaS, eq. 4). "log" is the scale of least squares
    of the logarithms, which is the mean log ratio (Eigen et al. 2014, eq. 1). Values that are not finite are ignored;
    "log" also ignores values that are not positive. If no positive scale exists, "scale" and "log" are (1, 0).
    "scale-and-shift" maps a constant prediction to the mean of the target.

    Args:
        predicted: (N,), depth or inverse depth.
        target: (N,), positive, the same kind.
        alignment: One of ALIGNMENTS.

    Raises:
        InputError: The alignment is unknown.
    """
    if alignment not in ALIGNMENTS:
        raise InputError(f"alignment {alignment!r} found, expected one of {', '.join(ALIGNMENTS)}")
    usable = np.isfinite(predicted)
    if alignment == "log":
        usable &= predicted > 0
    predicted, target = predicted[usable], target[usable]
    if alignment == "none" or not predicted.size:
        return 1.0, 0.0
    if alignment == "scale-and-shift":
        return _least_squares(predicted, target)
    if alignment == "log":
        return float(np.exp(np.mean(np.log(target) - np.log(predicted)))), 0.0
    middle = float(np.median(predicted))
    return (float(np.median(target)) / middle if middle > 0 else 1.0), 0.0


def _least_squares(predicted: Float64, target: Float64) -> tuple[float, float]:
    mean_x, mean_y = float(predicted.mean()), float(target.mean())
    away = predicted - mean_x  # centred first: the normal equations of raw values lose half the digits
    spread = float(away @ away)
    # A constant minus its mean leaves only rounding.
    flat = spread <= predicted.size * (np.finfo(np.float64).eps * abs(mean_x)) ** 2
    scale = 0.0 if flat else float(away @ (target - mean_y)) / spread
    return scale, mean_y - scale * mean_x
