"""The kinds of edits: art, mirrors and negatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import cv2
import numpy as np

from ..geometry.plane import Box, Plane
from ..geometry.rectangles import project
from ..geometry.reflection import reflection
from ..paint import shapes
from ..paint.panels import Panel, blank_panel, framed, picture_panel
from ..paint.styles import restyle
from .canvas import Canvas, Image
from .materials import Edit, Materials, Words, paste_of, pasted
from .negatives import add_negative
from .place import Place, floating, on_plane

Kind = Literal["mirror", "art", "negative"]
KINDS: tuple[Kind, ...] = ("mirror", "art", "negative")

_FRAMED = 0.55  # of pictures
_OVERWHELMING = 0.15  # of pictures: they fill most of the view
_FLOATING, _FLOATING_LARGE = 0.3, 0.7  # of the others, and of these
_TRIES = 3  # of an edit that finds no place


def apply(kind: Kind, canvas: Canvas, materials: Materials, rng: np.random.Generator) -> tuple[Edit, ...]:
    """Edit a frame; nothing is changed if no place is found, and for a negative that stays as it is."""
    return tuple(_APPLY[kind](canvas, materials, rng))


def _art(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    for _ in range(int(rng.choice((1, 2, 3), p=(0.55, 0.3, 0.15)))):
        name, picture = materials.gallery.draw(rng, other_than=materials.own)
        style, picture = restyle(picture, rng)
        shape, outline = shapes.draw_shape(rng)
        panel = picture_panel(picture, outline)
        has_frame = shape != "irregular" and rng.random() < _FRAMED
        if has_frame:
            panel = framed(panel, rng, mat=0.25)
        aspect = picture.shape[1] / picture.shape[0]
        large = rng.random() < _OVERWHELMING
        area = float(rng.uniform(0.3, 0.95) if large else np.exp(rng.uniform(np.log(0.006), np.log(0.25))))
        loose = rng.random() < (_FLOATING_LARGE if large else _FLOATING)
        place = None if loose else on_plane(canvas, materials.planes, rng, area=area, aspect=aspect)
        if place is None:
            place = floating(canvas, rng, step=materials.planes.step_px, area=area, aspect=aspect)
        glowing = rng.random() < 0.15
        yield from pasted(
            canvas,
            paste_of(panel, place, "art", materials, lit=not glowing),
            Words("art", shape, style, name, has_frame),
        )


def _mirror(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    before = canvas.image.copy()
    for _ in range(int(rng.choice((1, 2), p=(0.8, 0.2)))):
        for _ in range(_TRIES):
            aspect = float(np.exp(rng.normal(-0.1, 0.4)))
            shape, outline = shapes.draw_shape(rng)
            panel = blank_panel(aspect, outline)
            has_frame = shape != "irregular" and rng.random() < 0.7
            if has_frame:
                panel = framed(panel, rng)
            area = float(np.exp(rng.uniform(np.log(0.015), np.log(0.35))))
            place = on_plane(canvas, materials.planes, rng, area=area, aspect=aspect)
            colours = None if place is None else _reflected(canvas, before, panel, place, rng)
            if colours is not None:
                one = paste_of(panel, place, "mirror", materials, reflected=colours)
                done = list(pasted(canvas, one, Words("mirror", shape, "", "", has_frame)))
                if done:
                    yield from done
                    break


def _reflected(
    canvas: Canvas, before: Image, panel: Panel, place: Place, rng: np.random.Generator
) -> Callable[[Box], Image] | None:
    """Return what gives the colours of a mirror; None if no part of the scene can be seen in it."""
    camera = canvas.to_image @ canvas.camera
    a, b, c = np.linalg.inv(canvas.to_image).T @ place.plane.coefficients
    outline = project(canvas.to_image @ place.homography, panel.outline)
    size_px = (before.shape[0], before.shape[1])
    homography = reflection(Plane(a, b, c), camera, outline, size_px, rng)
    if homography is None:
        return None
    tint, haze = rng.uniform(0.82, 0.97) * rng.uniform(0.95, 1.0, 3), rng.uniform(0, 8)

    def colours(box: Box) -> Image:
        shift = np.array([[1, 0, box.left], [0, 1, box.top], [0, 0, 1.0]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (box.width, box.height)  # (w, h)
        seen = cv2.warpPerspective(before, homography @ shift, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(cv2.transform(seen, np.column_stack([np.diag(tint), np.full(3, haze)])), np.uint8)

    return colours


_APPLY: dict[Kind, Callable[[Canvas, Materials, np.random.Generator], Iterator[Edit]]] = {
    "mirror": _mirror,
    "art": _art,
    "negative": add_negative,
}
