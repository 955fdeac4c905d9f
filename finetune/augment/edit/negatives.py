"""Negatives look like mirrors and art: openings with real depth behind them, dark screens, and frames as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..geometry.plane import Box
from ..geometry.rectangles import project
from ..paint import shapes
from ..paint.panels import Panel, opening, screen_off
from .canvas import Canvas
from .coverage import covered
from .materials import Edit, Materials, Words, paste_of, pasted
from .paste import Beyond
from .place import floating, on_plane

_UNTOUCHED = 0.25  # of negatives
_TRIES = 3  # of an edit that finds no place
_BEHIND = 1.02  # depth of a scene beyond an opening over that of the opening, at least
_MOST_SCALED = 4.0  # a scene beyond an opening is not enlarged further than this


def add_negative(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    """Add a screen, or a frame around an opening, to a frame of a data set, or leave it as it is."""
    if rng.random() < _UNTOUCHED:
        return
    what = rng.choice(("screen", "opening", "through"), p=(0.3, 0.3, 0.4))
    order = {"screen": (_screen, _opening), "opening": (_opening,), "through": (_through, _opening)}[str(what)]
    for make in order:
        for _ in range(_TRIES):
            done = list(make(canvas, materials, rng))
            if done:
                yield from done
                return


def _screen(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    """Paste a screen that is switched off."""
    aspect = float(rng.choice((16 / 9, 16 / 10, 4 / 3, 9 / 16, 21 / 9)))
    panel = screen_off(aspect, shapes.rectangle(rng), rng)
    area = float(np.exp(rng.uniform(np.log(0.01), np.log(0.3))))
    place = on_plane(canvas, materials.planes, rng, area=area, aspect=aspect)
    if place is None:
        place = floating(canvas, rng, step=materials.planes.step_px, area=area, aspect=aspect)
    one = paste_of(panel, place, "art", materials, lit=False)
    yield from pasted(canvas, one, Words("screen", "rectangle", "", "", False))


def _opening(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    """Paste a frame in front of the scene, which is seen through it as it is."""
    panel, aspect = _frame(rng)
    area = float(np.exp(rng.uniform(np.log(0.05), np.log(0.8))))
    place = floating(canvas, rng, step=materials.planes.step_px, area=area, aspect=aspect)
    one = paste_of(panel, place, "art", materials)
    yield from pasted(canvas, one, Words("opening", "rectangle", "", "", True))


def _through(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    """Cut a window or doorway into a plane of the scene, through which another scene is seen behind it.

    The other scene is enlarged as a whole if it would be too near, which changes its depth and not its image.
    """
    panel, aspect = _frame(rng)
    area = float(np.exp(rng.uniform(np.log(0.02), np.log(0.4))))
    place = on_plane(canvas, materials.planes, rng, area=area, aspect=aspect, walls=True)
    other = None if place is None else materials.beyond(rng)
    if place is None or other is None:
        return
    name, image, inverse = other
    inside = covered(project(place.homography, panel.outline), canvas.size_px)
    ratio = inverse[inside] / place.plane.inverse(Box(0, canvas.size_px[0], 0, canvas.size_px[1]))[inside]
    nearest = float(np.nanmax(ratio)) if np.isfinite(ratio).any() else 0.0
    if not 0 < nearest * _BEHIND <= _MOST_SCALED:
        return
    beyond = Beyond(image, inverse / max(1.0, nearest * _BEHIND))
    one = paste_of(panel, place, "art", materials, beyond=beyond)
    yield from pasted(canvas, one, Words("through", "rectangle", "", name, True))


def _frame(rng: np.random.Generator) -> tuple[Panel, float]:
    """Return the frame of a window or doorway and its width over height."""
    door = rng.random() < 0.4
    aspect = float(rng.uniform(0.4, 0.6) if door else np.exp(rng.normal(0.1, 0.35)))
    bars = (0, 0) if door else (int(rng.integers(0, 3)), int(rng.integers(0, 2)))
    return opening(aspect, shapes.rectangle(rng), rng, bars=bars), aspect
