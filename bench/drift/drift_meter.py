"""Drift of a subject's depth from the reference's: over the image, by distance, at edges, by tile, between frames.

Drift is measured on the model's answer, whatever its kind, as for the canary inside every model file: a number
means the same in a file's budget and in a report, and far values of a metric model count as its user sees them.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.modelfile.canary import RANGE_PERCENTILES
from ...engine.terms import KINDS, MEANINGS, Kind
from ..numbers.result import Band, Drift, Tile
from .depth_edges import edge_f1

BANDS = 4  # quartiles of the reference's inverse depth
WORST_TILES = 6
TILES_OF_ONE_IMAGE = 2  # so that one bad image does not hide the others
TILES_A_SIDE = 8  # of an image's shorter side
_TAIL_PERCENTILE = 99.0

Float64 = NDArray[np.float64]
Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """One image: the reference, found - reference, and the width of the reference's 2-98 % range."""

    reference: Float64
    difference: Float64
    span: float

    def scaled(self, amount: Float64) -> Float64:
        """Return amounts over the range; infinite for any amount if the range is 0."""
        if self.span > 0:
            return amount / self.span
        return np.where(amount == 0, 0.0, np.inf)


class DriftMeter:
    """Measures drift image by image; holds only sums and the last frame. Not thread-safe.

    Args:
        reference: Name of the subject that it is measured against.
        kind: Of the maps.
        video: Whether the images are consecutive frames.
    """

    def __init__(self, reference: str, *, kind: Kind, video: bool = False) -> None:
        if kind not in KINDS:
            raise InputError(f"kind {kind!r} found, expected one of {', '.join(KINDS)}")
        self._reference, self._kind, self._video = reference, kind, video
        self._means: dict[str, float] = {}
        self._tails: list[float] = []
        self._edges: list[float] = []
        self._temporal: list[float] = []
        self._band_drift, self._band_share = np.zeros(BANDS), np.zeros(BANDS)
        self._tiles: list[Tile] = []
        self._nonfinite = 0
        self._last: Float64 | None = None

    def add(self, name: str, reference: Map, found: Map) -> None:
        """Measure one image.

        Args:
            name: Of the image, unique.
            reference, found: (H, W) float32, the answers of the reference and of the subject.

        Raises:
            InputError: The shapes differ, or the name was given before.
        """
        if reference.shape != found.shape or reference.ndim != 2 or not reference.size:
            raise InputError(f"{name}: reference {reference.shape}, found {found.shape}; expected one shape (H, W)")
        if name in self._means:
            raise InputError(f"two images are named {name!r}, expected different names; rename one")
        frame = _frame(reference, found)
        amount = frame.scaled(np.abs(frame.difference))  # (H, W)
        self._nonfinite += int(found.size - np.count_nonzero(np.isfinite(found)))
        self._means[name] = float(amount.mean())
        self._tails.append(_tail(amount))
        self._add_bands(frame.reference, amount)
        self._tiles = _worst([*self._tiles, *_tiles(name, amount)])
        agreement = edge_f1(found, reference, kind=self._kind)
        if agreement is not None:
            self._edges.append(agreement)
        if self._video:
            self._add_change(frame)

    def result(self) -> Drift:
        """Return the means over images.

        Raises:
            InputError: No image was added.
        """
        if not self._means:
            raise InputError("drift of no images found, expected one or more")
        images = len(self._means)
        worst = max(self._means, key=lambda name: self._means[name])
        return Drift(
            reference=self._reference,
            images=images,
            mean=float(np.mean(list(self._means.values()))),
            p99=float(np.mean(self._tails)),
            worst_image=worst,
            worst=self._means[worst],
            bands=tuple(self._band(number) for number in range(BANDS)),
            edge_f1=float(np.mean(self._edges)) if self._edges else None,
            nonfinite=self._nonfinite,
            temporal=float(np.mean(self._temporal)) if self._temporal else None,
            tiles=tuple(self._tiles),
        )

    def _add_bands(self, reference: Float64, amount: Float64) -> None:
        """Add each band's part of the image's mean: the sum of share times drift over the bands is the mean."""
        nearness = reference if MEANINGS[self._kind].larger_is_nearer else -reference  # in the order of inverse depth
        limits = np.quantile(nearness, np.arange(1, BANDS) / BANDS)
        band = np.searchsorted(limits, nearness.ravel(), side="left")
        self._band_share += np.bincount(band, minlength=BANDS) / amount.size
        self._band_drift += np.bincount(band, weights=amount.ravel(), minlength=BANDS) / amount.size

    def _band(self, number: int) -> Band:
        share, images = float(self._band_share[number]), len(self._means)
        drift = float(self._band_drift[number]) / share if share else 0.0
        return Band(number / BANDS, (number + 1) / BANDS, drift, share / images)

    def _add_change(self, frame: _Frame) -> None:
        """Add the change of the difference since the last frame, which equals the difference of the changes."""
        last, self._last = self._last, frame.difference
        if last is not None and last.shape == frame.difference.shape:
            with np.errstate(invalid="ignore"):
                change = np.abs(frame.difference - last)
            self._temporal.append(float(frame.scaled(_or_infinite(change)).mean()))


def range_of(reference: NDArray[np.floating]) -> tuple[float, float]:
    """Return the 2nd and 98th percentile of the finite values of a reference; 0 and 0 if no value is finite."""
    known = reference[np.isfinite(reference)].astype(np.float64)
    if not known.size:
        return 0.0, 0.0
    low, high = np.percentile(known, RANGE_PERCENTILES)
    return float(low), float(high)


def _frame(reference: Map, found: Map) -> _Frame:
    """Return a frame; a value that is not finite in either map is infinitely far off, as for the canary."""
    exact = reference.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = found.astype(np.float64) - exact
    difference[~np.isfinite(difference)] = np.inf
    low, high = range_of(exact)
    # A reference that is not finite becomes an end of the range, so that the bands have an order.
    return _Frame(np.nan_to_num(exact, nan=low, posinf=high, neginf=low), difference, high - low)


def _or_infinite(amount: Float64) -> Float64:
    return np.where(np.isfinite(amount), amount, np.inf)


def _tail(amount: Float64) -> float:
    return float(np.percentile(amount, _TAIL_PERCENTILE)) if np.isfinite(amount).all() else float("inf")


def _tiles(name: str, amount: Float64) -> list[Tile]:
    """Return the worst tiles of an image: squares, cut off at the lower and right edge."""
    height, width = amount.shape
    side = max(1, min(height, width) // TILES_A_SIDE)
    rows, columns = np.arange(0, height, side), np.arange(0, width, side)
    sums = np.add.reduceat(np.add.reduceat(amount, rows, axis=0), columns, axis=1)
    heights, widths = np.diff(rows, append=height), np.diff(columns, append=width)
    means = sums / (heights[:, None] * widths)
    return [
        Tile(
            image=name,
            top_px=int(rows[row]),
            left_px=int(columns[column]),
            height_px=int(heights[row]),
            width_px=int(widths[column]),
            drift=float(means[row, column]),
        )
        for row, column in zip(*np.unravel_index(_largest(means), means.shape), strict=True)
        if means[row, column] > 0
    ]


def _largest(means: Float64) -> NDArray[np.intp]:
    order: NDArray[np.intp] = np.argsort(-means, axis=None, kind="stable")
    return order[:TILES_OF_ONE_IMAGE]


def _worst(tiles: Sequence[Tile]) -> list[Tile]:
    return heapq.nlargest(WORST_TILES, tiles, key=lambda tile: tile.drift)
