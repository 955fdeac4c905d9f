"""Chooses where a rectangle goes: on a plane of the scene, or on a plane that floats in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..geometry.find_planes import Planes
from ..geometry.plane import Float64, Plane
from ..geometry.rectangles import incidence, is_level, is_upright, project, rectangle, turned_plane
from .canvas import Canvas, Mask
from .coverage import covered

UNIT_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
_TRIES = 32
_SHRINK = 0.94  # of the area, after each place that does not fit
_LEAST_AREA = 0.002  # of the image
_ON, _BEHIND, _UNKNOWN = (
    0.7,
    0.03,
    0.03,
)  # least and most shares of a rectangle on, beyond and without the plane's depth
_GRAZING = 0.2  # least cosine between ray and normal
_LEVEL = 0.4  # how often a floor is chosen, over a wall of its size
_WALL = 0.04  # least share of the image
_ROLL_RAD = 0.05  # of what hangs on a wall


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a rectangle goes.

    Args:
        homography: (3, 3), unit square to pixels of the depth map.
        plane: Its depth.
        of_scene: Whether the plane is one of the scene.
    """

    homography: Float64
    plane: Plane
    of_scene: bool


def on_plane(
    canvas: Canvas, planes: Planes, rng: np.random.Generator, *, area: float, aspect: float, walls: bool = False
) -> Place | None:
    """Return a place on a plane of the scene, smaller than asked for if it must be; None if nothing fits.

    Args:
        canvas: The frame.
        planes: Of its scene.
        rng: Draws the plane and the point.
        area: Share of the image.
        aspect: Width over height.
        walls: Whether only large upright planes are taken.
    """
    fitting = [plane for plane in planes.planes if not walls or _is_wall(plane, canvas)]
    if not fitting:
        return None
    weights = np.array([plane.share**0.5 * (_LEVEL if is_level(plane, canvas.camera) else 1) for plane in fitting])
    for number in rng.choice(len(fitting), min(3, len(fitting)), replace=False, p=weights / weights.sum()):
        place = _on(canvas, fitting[number], planes, rng, area, aspect)
        if place is not None:
            return place
    return None


def _is_wall(plane: Plane, canvas: Canvas) -> bool:
    return plane.share >= _WALL and is_upright(plane, canvas.camera)


def _on(
    canvas: Canvas, plane: Plane, planes: Planes, rng: np.random.Generator, area: float, aspect: float
) -> Place | None:
    """Return a place on one plane."""
    step, grid = planes.step_px, canvas.inverse[:: planes.step_px, :: planes.step_px]
    level = is_level(plane, canvas.camera)
    on, behind, unknown = _sides(grid, plane, step, planes.tolerance)
    near = cv2.distanceTransform(on.astype(np.uint8), cv2.DIST_L2, 3)  # to the border of the plane
    rows, columns = np.nonzero(near > 0.3 * near.max())
    if near.max() < 2:
        return None
    pixels = canvas.size_px[0] * canvas.size_px[1]
    for _ in range(_TRIES):
        chosen = int(rng.integers(rows.size))
        centre = (float(columns[chosen] * step), float(rows[chosen] * step))
        roll = rng.uniform(-np.pi, np.pi) if level else rng.normal(0, _ROLL_RAD)
        if incidence(plane, canvas.camera, centre) >= _GRAZING:
            homography = rectangle(
                plane, canvas.camera, centre, area_px=area * pixels, aspect=aspect, roll_rad=float(roll)
            )
            if homography is not None and _fits(project(homography, UNIT_SQUARE) / step, on, behind, unknown):
                return Place(homography, plane, True)
        area *= _SHRINK
        if area < _LEAST_AREA:
            break
    return None


def floating(canvas: Canvas, rng: np.random.Generator, *, step: int, area: float, aspect: float) -> Place | None:
    """Return a place on a plane in front of what it covers, apart from some of the nearest; None without depth there.

    Args:
        canvas: The frame.
        rng: Draws the point, the turn and the distance.
        step: Every so many pixels of the depth map are looked at.
        area: Share of the image.
        aspect: Width over height.
    """
    height, width = canvas.size_px
    grid = canvas.inverse[::step, ::step]
    for _ in range(_TRIES):
        margin = min(0.45, area**0.5 / 3)
        centre = tuple(rng.uniform(margin, 1 - margin, 2) * (width, height))
        yaw, pitch = rng.normal(0, 0.5), rng.normal(0, 0.12)
        plane = turned_plane(canvas.camera, centre, float(np.clip(yaw, -1.1, 1.1)), float(np.clip(pitch, -0.5, 0.5)))
        roll = float(rng.normal(0, _ROLL_RAD))
        homography = rectangle(
            plane, canvas.camera, centre, area_px=area * height * width, aspect=aspect, roll_rad=roll
        )
        if homography is None:
            continue
        inside = covered(project(homography, UNIT_SQUARE) / step, grid.shape) & np.isfinite(grid)
        if inside.sum() < 4:
            continue
        ratio = (grid / _inverse(plane, grid.shape, step))[inside]
        nearest = float(np.percentile(ratio, rng.choice((85.0, 98.0, 100.0))))
        if nearest > 0:
            return Place(homography, plane.nearer(nearest * float(rng.uniform(1.05, 2.2))), False)
    return None


def _sides(grid: Float64, plane: Plane, step: int, tolerance: float) -> tuple[Mask, Mask, Mask]:
    """Return which points of the grid are on a plane, behind it, and unknown."""
    own = _inverse(plane, grid.shape, step)
    with np.errstate(invalid="ignore"):
        relative = np.where(own > 0, grid / np.where(own > 0, own, 1) - 1, 1)
        return np.abs(relative) <= tolerance, relative < -tolerance, np.isnan(grid)


def _inverse(plane: Plane, shape: tuple[int, ...], step: int) -> Float64:
    v, u = np.ogrid[: shape[0], : shape[1]]
    inverse: Float64 = plane.a * step * u + plane.b * step * v + plane.c
    return inverse


def _fits(corners: Float64, on: Mask, behind: Mask, unknown: Mask) -> bool:
    inside = covered(corners, on.shape)
    count = int(inside.sum())
    return count >= 4 and bool(
        on[inside].mean() >= _ON and behind[inside].mean() <= _BEHIND and unknown[inside].mean() <= _UNKNOWN
    )
