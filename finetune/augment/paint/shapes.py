"""Outlines of panels in the unit square: rectangles, other quadrilaterals, ellipses and irregular ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float64]
_POINTS = 96  # of a closed curve


def rectangle(rng: np.random.Generator) -> Outline:
    """Return the unit square."""
    return np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def quadrilateral(rng: np.random.Generator) -> Outline:
    """Return a convex quadrilateral with four other corners."""
    inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    return np.asarray(rectangle(rng) + rng.uniform(0, 0.28, (4, 2)) * inward, np.float64)


def ellipse(rng: np.random.Generator) -> Outline:
    """Return the circle that fills the unit square."""
    return _curve(np.ones(_POINTS))


def irregular(rng: np.random.Generator) -> Outline:
    """Return a closed curve with bays."""
    angle = _angles()
    radius = np.ones(_POINTS)
    for wave in range(2, 7):
        radius += rng.normal(0, 0.28 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
    return _curve(np.clip(radius, 0.4, None) / max(radius.max(), 0.4))


SHAPES: dict[str, tuple[float, Callable[[np.random.Generator], Outline]]] = {  # name: share, function
    "rectangle": (0.58, rectangle),
    "quadrilateral": (0.12, quadrilateral),
    "ellipse": (0.15, ellipse),
    "irregular": (0.15, irregular),
}


def draw_shape(rng: np.random.Generator) -> tuple[str, Outline]:
    """Return the name of a shape that is drawn by its share, and its outline (n, 2) in the unit square."""
    names = list(SHAPES)
    name = str(rng.choice(names, p=[SHAPES[one][0] for one in names]))
    return name, SHAPES[name][1](rng)


def _angles() -> Outline:
    return np.arange(_POINTS) * 2 * np.pi / _POINTS


def _curve(radius: Outline) -> Outline:
    angle = _angles()
    return 0.5 + 0.5 * np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
