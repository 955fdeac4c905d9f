"""Brings predicted depth to measured depth before it is judged: scale, or scale and shift, and the range of depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.terms import ALIGNMENTS, MEANINGS, Alignment, Kind

Float64 = NDArray[np.float64]
NEAREST_M = 1e-3  # predictions are clipped there. Source: Depth Anything V2, metric_depth/train.py


def usual_alignment(kind: Kind, target_kind: Kind) -> Alignment:
    """Return the alignment that is usual for an answer and the depth of these kinds that it is judged by."""
    if kind == target_kind == "metric":
        return "none"
    return "scale" if "scale" in (kind, target_kind) and MEANINGS[kind].shift_known else "scale-and-shift"


def target_of(depth_m: Float64, kind: Kind) -> Float64:
    """Return depth as values of a kind, up to their scale and shift."""
    return 1 / depth_m if MEANINGS[kind].larger_is_nearer else depth_m


def align(values: Float64, target_m: Float64, kind: Kind, alignment: Alignment, fitted: NDArray[np.bool_]) -> Float64:
    """Return values aligned to depth; values that are not finite stay.

    Args:
        values: Of any shape.
        target_m: Depth, positive where fitted, of the same shape.
        kind: Of values.
        alignment: As in fit_alignment.
        fitted: Which values the alignment is fitted to.
    """
    scale, shift = fit_alignment(values[fitted], target_of(target_m[fitted], kind), alignment)
    return np.where(np.isfinite(values), values * scale + shift, values)


def as_depth(aligned: Float64, kind: Kind, farthest_m: float) -> Float64:
    """Return aligned values as depth, clipped to NEAREST_M and farthest_m.

    NaN becomes the nearest depth: a missing answer must not score better than a wrong one.
    """
    if MEANINGS[kind].larger_is_nearer:
        depth: Float64 = 1 / np.clip(np.nan_to_num(aligned, nan=1 / NEAREST_M), 1 / farthest_m, 1 / NEAREST_M)
    else:
        depth = np.nan_to_num(aligned, nan=NEAREST_M)
    return depth.clip(NEAREST_M, farthest_m)


def as_inverse(aligned: Float64, kind: Kind) -> Float64:
    """Return aligned values as inverse depth, at most 1 / NEAREST_M, in which a plane is affine.

    Inverse depth below 0, beyond infinity, stays as it is: a clip would hide how a plane is bent there. NaN becomes the
    nearest depth, as in as_depth.
    """
    if not MEANINGS[kind].larger_is_nearer:
        return 1 / np.maximum(np.nan_to_num(aligned, nan=NEAREST_M), NEAREST_M)
    return np.nan_to_num(aligned, nan=1 / NEAREST_M, neginf=-1 / NEAREST_M).clip(-1 / NEAREST_M, 1 / NEAREST_M)


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
