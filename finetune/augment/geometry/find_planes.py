"""Finds the planes of a scene from its inverse depth, which is affine in pixel coordinates on each of them.

Small windows are fitted, those that fit well propose planes, and the proposal with the most pixels is fitted again to
them (RANSAC with local samples); its pixels are taken out, and the next plane is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .plane import Float64, Plane

Mask = NDArray[np.bool_]

GRID_PX = 256  # longer side of the grid on which planes are looked for
MOST_PLANES = 8
LEAST_SHARE = 0.01  # of the image; smaller planes hold no picture
_RADII = (6, 3)  # of the windows, grid pixels: the larger gives better slopes, the smaller finds narrow planes
_PROPOSALS = 48
_LEAST_TOLERANCE, _MOST_TOLERANCE = 0.004, 0.01  # of the inverse depth
_NOISE_FACTOR = 3.0  # tolerance over the residual of the flattest windows
_FLATTEST = 25  # per cent of the windows
_CURVED = 0.5  # residual over tolerance, beyond which a surface is curved: a slice of a ball has 0.53
_INNER = 2.5  # residuals; points that are farther from a plane belong to what it meets
_REFITS = 3
_GROWN = 3  # proposals that are fitted to their pixels, until one has enough of them
_COARSE = 3  # every so many pixels of the grid judge a proposal


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """Planes of a scene, the largest first.

    Args:
        planes: In pixels of the depth map.
        step_px: Pixels of the depth map per pixel of the grid.
        tolerance: A point is on a plane if its inverse depth differs by less than this share.
    """

    planes: tuple[Plane, ...]
    step_px: int
    tolerance: float


def find_planes(inverse: Float64, rng: np.random.Generator, *, most: int = MOST_PLANES) -> Planes:
    """Find planes.

    Args:
        inverse: (h, w) float, inverse depth; 0 for infinitely far, NaN for unknown.
        rng: Draws the windows that propose planes.
        most: Number of planes to look for.
    """
    step = max(1, -(-max(inverse.shape) // GRID_PX))
    grid = np.ascontiguousarray(inverse[::step, ::step], np.float64)
    usable = np.isfinite(grid) & (grid > 0)
    windows = [_fit_windows(np.where(usable, grid, 0), usable, radius) for radius in _RADII]
    noise = windows[-1][1][np.isfinite(windows[-1][1])]
    tolerance = float(
        np.clip(
            _NOISE_FACTOR * (np.percentile(noise, _FLATTEST) if noise.size else 0),
            _LEAST_TOLERANCE,
            _MOST_TOLERANCE,
        )
    )
    votes = _votes(grid, usable, _proposals(windows, tolerance, rng), tolerance)
    free = usable.copy()
    found: list[Plane] = []
    while len(found) < most:
        plane, pixels = _best(grid, free, votes, tolerance)
        if plane is None:
            break
        share = float(pixels.mean())
        free &= ~cv2.dilate(pixels.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
        found.append(_in_pixels(plane, grid, pixels, step, share))
    return Planes(tuple(sorted(found, key=lambda one: -one.share)), step, tolerance)


def _fit_windows(grid: Float64, usable: Mask, radius: int) -> tuple[Float64, Float64]:
    """Return the affine fit of the window around each pixel, (3, h, w), and its relative residual (h, w).

    The residual is infinite where the window has unusable pixels or leaves the grid.
    """
    side = 2 * radius + 1
    ramp, flat = np.arange(-radius, radius + 1, dtype=np.float64), np.ones(side)
    square = float((ramp**2).sum()) * side  # of the ramp over the window

    def summed(values: Float64, across: Float64, down: Float64) -> Float64:
        return np.asarray(cv2.sepFilter2D(values, cv2.CV_64F, across, down, borderType=cv2.BORDER_CONSTANT), np.float64)

    whole = cv2.erode(
        usable.astype(np.uint8), np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    ).astype(np.bool_)
    a, b = summed(grid, ramp, flat) / square, summed(grid, flat, ramp) / square
    mean = summed(grid, flat, flat) / side**2
    spread = summed(grid * grid, flat, flat) / side**2 - mean**2 - (a**2 + b**2) * square / side**2
    residual = np.full(grid.shape, np.inf)
    residual[whole] = np.sqrt(np.maximum(spread[whole], 0)) / mean[whole]
    v, u = np.mgrid[: grid.shape[0], : grid.shape[1]]
    return np.stack([a, b, mean - a * u - b * v]), residual


def _proposals(windows: list[tuple[Float64, Float64]], tolerance: float, rng: np.random.Generator) -> Float64:
    """Return planes (n, 3) of windows that fit well, drawn from all over the image."""
    drawn = []
    for fits, residual in windows:
        rows, columns = np.nonzero(residual < tolerance / 2)
        if rows.size:
            chosen = rng.integers(0, rows.size, _PROPOSALS)
            drawn.append(fits[:, rows[chosen], columns[chosen]].T)
    return np.concatenate(drawn) if drawn else np.empty((0, 3))


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """Which proposals the points of a coarse grid are on.

    Args:
        proposals: (n, 3), planes.
        rows, columns: (points,), of the grid.
        on: (n, points) bool.
    """

    proposals: Float64
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    on: Mask


def _votes(grid: Float64, usable: Mask, proposals: Float64, tolerance: float) -> _Votes:
    rows, columns = (at * _COARSE for at in np.nonzero(usable[::_COARSE, ::_COARSE]))
    values = grid[rows, columns].astype(np.float32)
    a, b, c = proposals.astype(np.float32).T[:, :, None]  # (n, 1)
    # No products of matrices: BLAS's threads wait for each other where other threads have work.
    difference = a * columns.astype(np.float32) + b * rows.astype(np.float32) + (c - values)
    return _Votes(proposals, rows, columns, np.abs(difference, out=difference) < np.float32(tolerance) * values)


def _best(grid: Float64, free: Mask, votes: _Votes, tolerance: float) -> tuple[Float64 | None, Mask]:
    """Return the proposal with the most free pixels, fitted to them, and these pixels; None if all are small."""
    counts = np.count_nonzero(votes.on[:, free[votes.rows, votes.columns]], axis=1)
    for number in np.argsort(-counts)[:_GROWN]:  # the most pixels may lie apart
        if counts[number] * _COARSE**2 < LEAST_SHARE * grid.size:
            break
        plane, pixels = _grown(grid, free, votes.proposals[number], tolerance)
        if pixels.mean() >= LEAST_SHARE:
            plane, residual = _refined(grid, pixels, plane)
            if residual <= _CURVED * tolerance:
                return plane, pixels
    return None, np.zeros(grid.shape, np.bool_)


def _grown(grid: Float64, free: Mask, plane: Float64, tolerance: float) -> tuple[Float64, Mask]:
    """Fit a plane to the largest connected part of its pixels, several times over."""
    pixels = np.zeros(grid.shape, np.bool_)
    for _ in range(_REFITS):
        pixels = _largest_part(_on(grid, plane, tolerance) & free)
        if not pixels.any():
            break
        plane = _fit(grid, pixels)
    return plane, pixels


def _refined(grid: Float64, pixels: Mask, plane: Float64) -> tuple[Float64, float]:
    """Return a plane fitted without the points at the rim that are not quite on it, and the residual of all."""
    v, u = np.nonzero(pixels)
    relative = np.abs((plane[0] * u + plane[1] * v + plane[2]) / grid[v, u] - 1)
    residual = float(np.sqrt(np.mean(relative**2)))
    inner = np.zeros(grid.shape, np.bool_)
    close = relative <= _INNER * residual
    inner[v[close], u[close]] = True
    return _fit(grid, inner), residual


def _on(grid: Float64, plane: Float64, tolerance: float) -> Mask:
    v, u = np.ogrid[: grid.shape[0], : grid.shape[1]]
    near: Mask = np.abs(plane[0] * u + plane[1] * v + plane[2] - grid) < tolerance * grid
    return near


def _largest_part(mask: Mask) -> Mask:
    """Return the largest connected part, without what is as thin as a pixel: curved surfaces cross planes in lines."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, np.bool_)
    largest: Mask = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return largest


def _fit(grid: Float64, pixels: Mask) -> Float64:
    """Return the plane with the least squared relative difference."""
    v, u = np.nonzero(pixels)
    weight = 1 / grid[v, u]
    terms = np.stack([u * weight, v * weight, weight])  # (3, pixels)
    products = np.array([[float((one * other).sum()) for other in terms] for one in terms])
    return np.asarray(np.linalg.solve(products, terms.sum(1)), np.float64)


def _in_pixels(plane: Float64, grid: Float64, pixels: Mask, step: int, share: float) -> Plane:
    """Return a plane of the grid in pixels of the depth map; the pixels of the grid are pixels of the map."""
    v, u = np.nonzero(pixels)
    relative = (plane[0] * u + plane[1] * v + plane[2]) / grid[v, u] - 1
    residual = float(np.sqrt(np.mean(relative**2)))
    return Plane(float(plane[0]) / step, float(plane[1]) / step, float(plane[2]), share, residual)
