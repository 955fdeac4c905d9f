"""Figures of probes, from 0 to 1: each compares an answer, as aligned inverse depth, with the truth of a scene."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from .align import Map, Mask

_SPREAD = (2, 98)  # percentiles of an answer whose difference is its spread
_FLAT = 1e-9  # of the largest value; a smaller spread is rounding, and the map is constant
_SKY_RANK = 90  # percentile of the sky's nearness: clouds that cover a tenth of it count


def step_kept(found: Map, true: Map, near: Mask, far: Mask) -> float:
    """Return how well an answer keeps the step between two regions, from 0 (none, or inverted) to 1.

    min(r, 1/r) of r = (m(near) - m(far)) / (M(near) - M(far)), where m and M are medians of the answer's and the true
    inverse depth; 0 if r <= 0.
    """
    wanted = float(np.median(true[near]) - np.median(true[far]))
    ratio = float(np.median(found[near]) - np.median(found[far])) / wanted
    return min(ratio, 1 / ratio) if ratio > 0 else 0.0


def steps_kept(found: Map, true: Map, regions: Sequence[Mask]) -> float:
    """Return the mean of step_kept over neighbours in depth.

    Args:
        found, true: (H, W).
        regions: Two or more, in any order.
    """
    ordered = sorted(regions, key=lambda region: -float(np.median(true[region])))
    return float(np.mean([step_kept(found, true, near, far) for near, far in itertools.pairwise(ordered)]))


def spread(found: Map) -> float:
    """Return the difference of the 98th and the 2nd percentile of an answer; 0 if it is constant."""
    low, high = np.percentile(found, _SPREAD)
    return float(high - low) if high - low > _FLAT * abs(high) else 0.0


def bump(found: Map, inside: Mask, around: Mask) -> float:
    """Return the mean distance of a region from the plane of its surroundings, over the answer's spread, at most 1.

    The plane is the least squares of a u + b v + c at pixels (u, v) around. A constant answer has no spread: 1.
    """
    whole = spread(found)
    if not whole:
        return 1.0
    terms = _powers(found.shape, around, 1)
    weights = np.linalg.lstsq(terms, found[around], rcond=None)[0]
    off = found[inside] - _powers(found.shape, inside, 1) @ weights
    return min(1.0, float(np.abs(off).mean()) / whole)


def ripple(found: Map, true: Map, floor: Mask) -> float:
    """Return what is not smooth of an answer on a plane floor, over what is, at most 1.

    rms(x - s) / std(s), where s is the best quadratic surface of the answer x over the floor; 1 if x is constant there
    or does not grow where the floor comes nearer.
    """
    values = found[floor]
    terms = _powers(found.shape, floor, 2)
    smooth = terms @ np.linalg.lstsq(terms, values, rcond=None)[0]
    slope = float(smooth.std())
    if slope <= _FLAT * abs(float(values.max())) or _covariance(values, true[floor]) <= 0:
        return 1.0
    return min(1.0, float(np.sqrt(np.mean((values - smooth) ** 2))) / slope)


def unexplained(found: Map, true: Map, known: Mask) -> float:
    """Return the root mean square error of an answer over the standard deviation of the truth, at most 1."""
    error = float(np.sqrt(np.mean((found[known] - true[known]) ** 2)))
    return min(1.0, error / float(true[known].std()))


def change(first: Map, second: Map) -> float:
    """Return the mean difference of two answers over their mean spread, at most 1; 1 if both are constant."""
    whole = (spread(first) + spread(second)) / 2
    return min(1.0, float(np.abs(first - second).mean()) / whole) if whole else 1.0


def nearness(found: Map, sky: Mask, land: Mask, true: Map) -> float:
    """Return the 90th percentile of an answer over the sky, over the mean true inverse depth of the land, at most 1."""
    return min(1.0, float(np.percentile(found[sky], _SKY_RANK)) / float(true[land].mean()))


def _powers(shape: tuple[int, ...], where: Mask, order: int) -> Map:
    """Return 1, u, v and, of order 2, u^2, u v, v^2 of pixels, (N, 3 or 6), from -1 to 1 over the image."""
    v, u = (axis[where] * (2 / side) - 1 for axis, side in zip(np.indices(shape), shape, strict=True))
    columns = [np.ones_like(u), u, v]
    return np.stack([*columns, u * u, u * v, v * v] if order == 2 else columns, axis=1)


def _covariance(first: Map, second: Map) -> float:
    return float(np.mean((first - first.mean()) * (second - second.mean())))
