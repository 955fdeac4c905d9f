"""Percentiles and ratios of times, with 95 % intervals that hold although neighbouring times are correlated.

Consecutive times share the state of the machine, so a bootstrap that draws single times gives intervals that are far
too narrow. Here blocks of whole rounds are drawn, as long as the rounds are correlated.
Source: Politis and Romano 1992, circular block bootstrap; widened by Student's t for the small number of blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from .result import Interval

Float64 = NDArray[np.float64]

RESAMPLES = 2000
RANKS = (50.0, 90.0, 95.0, 99.0)
TAILS = (2.5, 97.5)  # percentiles of the drawn figures that bound 95 %
LEAST_BLOCKS = 8  # limits the length of blocks: fewer blocks would not show how they vary
ALARM = 0.03  # of the median; two runs of the same code may differ by this much without an alarm
_Z = 1.959964  # standard normal quantile of 97.5 %
_STUDENT = (12.706205, 4.302653, 3.182446, 2.776445)  # 97.5 % quantiles of Student's t for 1 to 4 degrees of freedom


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles and mean of a series of times."""

    p50: Interval
    p90: Interval
    p95: Interval
    p99: Interval
    mean: Interval


def summarise(samples: Sequence[float], *, per_round: int = 1, seed: int = 0) -> Percentiles:
    """Return percentiles and mean with their intervals.

    The interval of p99 from fewer than some hundred samples ends at the largest sample; more is not known.

    Args:
        samples: In the order measured.
        per_round: Samples of a round, which are consecutive and are drawn together.
        seed: Of the bootstrap.

    Raises:
        InputError: There are no samples, they do not fill the rounds, or a sample is negative or not finite.
    """
    rounds = _rounds(samples, per_round)
    block = _block_length(rounds)
    drawn = rounds[_draw(len(rounds), block, seed)].reshape(RESAMPLES, -1)
    blocks = len(rounds) / block
    figures = np.percentile(drawn, RANKS, axis=1)  # (ranks, resamples)
    values = np.percentile(rounds, RANKS)
    p50, p90, p95, p99 = (_of_times(float(value), row, blocks) for value, row in zip(values, figures, strict=True))
    return Percentiles(p50, p90, p95, p99, _of_times(float(rounds.mean()), drawn.mean(axis=1), blocks))


def median_interval(samples: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the median with its interval; errors as summarise."""
    return summarise(samples, seed=seed).p50


def compare_medians(
    a: Sequence[float], b: Sequence[float], *, per_round: int = 1, paired: bool = False, seed: int = 0
) -> Interval:
    """Return the median of the times `b` over the median of the times `a`; above 1 `b` is slower.

    Args:
        a, b: In the order measured.
        per_round: Samples of a round, in both.
        paired: Both took turns in the same rounds of one run. A slow round then slowed both, and the result is the
            median over rounds of the round's ratio.
        seed: Of the bootstrap.

    Raises:
        InputError: As summarise; or a time is 0, or paired series differ in length.
    """
    first, second = _rounds(a, per_round), _rounds(b, per_round)
    if min(first.min(), second.min()) <= 0:
        raise InputError("a time of 0 ms found, expected positive times; a ratio to 0 has no meaning")
    if paired:
        return _paired_ratio(first, second, seed)
    medians, blocks = [], []
    for rounds, own_seed in ((first, seed), (second, seed + 1)):
        block = _block_length(rounds)
        drawn = rounds[_draw(len(rounds), block, own_seed)].reshape(RESAMPLES, -1)
        medians.append(np.log(np.median(drawn, axis=1)))
        blocks.append(len(rounds) / block)
    value = math.log(np.median(second) / np.median(first))
    return _exponential(_interval(value, medians[1] - medians[0], min(blocks)))


def widening(blocks: float) -> float:
    """Return how many times as wide an interval from so many independent draws is as one from very many."""
    return _student(max(1.0, blocks - 1)) / _Z


def _paired_ratio(first: Float64, second: Float64, seed: int) -> Interval:
    if first.shape != second.shape:
        raise InputError(f"{first.size} and {second.size} samples found, expected as many of both from the same rounds")
    ratios = np.log(np.median(second, axis=1) / np.median(first, axis=1))[:, None]  # (rounds, 1)
    block = _block_length(ratios)
    drawn = np.median(ratios[_draw(len(ratios), block, seed)], axis=(1, 2))
    return _exponential(_interval(float(np.median(ratios)), drawn, len(ratios) / block))


def _rounds(samples: Sequence[float], per_round: int) -> Float64:
    """Return samples as (rounds, per_round)."""
    values = np.asarray(samples, np.float64)
    if per_round < 1 or values.size == 0 or values.size % per_round:
        raise InputError(f"{values.size} samples in rounds of {per_round} found, expected one whole round or more")
    if not np.isfinite(values).all() or values.min() < 0:
        raise InputError("a negative or non-finite time found, expected times of 0 ms or more; measure again")
    return values.reshape(-1, per_round)


def _block_length(rounds: Float64) -> int:
    """Return the number of rounds that are drawn together, from the autocorrelation of the rounds."""
    count = rounds.shape[0]
    longest = max(1, count // LEAST_BLOCKS)
    usual = math.ceil(count ** (1 / 3))  # the order for short correlations
    correlated = math.ceil(_correlation_length(np.median(rounds, axis=1)))
    block: int = min(longest, max(usual, correlated))
    return block


def _correlation_length(series: Float64) -> float:
    """Return the integrated autocorrelation of a series, in steps; of ranks, since spikes do not change them."""
    count = len(series)
    if count < 3 or np.ptp(series) == 0:
        return 1.0
    ranks = np.argsort(np.argsort(series)).astype(np.float64)
    ranks -= ranks.mean()
    power = float(ranks @ ranks)
    length = 1.0
    for lag in range(1, count // 2):
        correlation = float(ranks[:-lag] @ ranks[lag:]) / power
        if correlation < 2 / math.sqrt(count):  # not significant
            break
        length += 2 * correlation
    return length


def _draw(count: int, block: int, seed: int) -> NDArray[np.intp]:
    """Return (RESAMPLES, count) indices of rounds: blocks that start anywhere and wrap around the end."""
    starts = np.random.default_rng(seed).integers(0, count, (RESAMPLES, math.ceil(count / block), 1))
    indices: NDArray[np.intp] = (starts + np.arange(block)).reshape(RESAMPLES, -1)[:, :count] % count
    return indices


def _of_times(value: float, drawn: Float64, blocks: float) -> Interval:
    """Return the 95 % interval of a time, on logarithms: few rounds make it wide, but it never reaches 0."""
    if min(value, drawn.min()) <= 0:
        interval = _interval(value, drawn, blocks)
        return Interval(value, max(0.0, interval.low), interval.high)
    ratio = _exponential(_interval(0.0, np.log(drawn / value), blocks))
    return Interval(value, value * ratio.low, value * ratio.high)


def _interval(value: float, drawn: Float64, blocks: float) -> Interval:
    """Return the 95 % interval of a figure from its resamples, widened for the number of blocks."""
    low, high = np.percentile(drawn, TAILS)
    wider = widening(blocks)
    return Interval(value, value - max(0.0, value - float(low)) * wider, value + max(0.0, float(high) - value) * wider)


def _exponential(logarithm: Interval) -> Interval:
    return Interval(math.exp(logarithm.value), math.exp(logarithm.low), math.exp(logarithm.high))


def _student(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t, within 1 %; fewer than 5 degrees of freedom are whole numbers.

    scipy's is exact, but 143 MB that `depthrt tune` would need beyond the extra `cpu`, and 185 ms and 24 MiB to import.
    Source: Abramowitz and Stegun 26.7.5, and table 26.10 below 5 degrees of freedom.
    """
    if freedom < 5:
        return _STUDENT[int(freedom) - 1]
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2
