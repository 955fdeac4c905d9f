"""The kinds of edits: art, mirrors, and negatives, which look like them and are not flat, or show nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from ..geometry.find_planes import Planes
from ..geometry.plane import Box, Float64, Plane
from ..geometry.rectangles import project
from ..geometry.reflection import reflection
from ..paint import shapes
from ..paint.gallery import Gallery
from ..paint.panels import Panel, blank_panel, framed, opening, picture_panel, screen_off
from ..paint.styles import restyle
from .canvas import Canvas, Image
from .coverage import covered
from .paste import Beyond, Paste, paste
from .place import Place, floating, on_plane

Kind = Literal["mirror", "art", "negative"]
KINDS: tuple[Kind, ...] = ("mirror", "art", "negative")

_FRAMED = 0.55  # of pictures
_OVERWHELMING = 0.15  # of pictures: they fill most of the view
_FLOATING, _FLOATING_LARGE = 0.3, 0.7  # of the others, and of these
_UNTOUCHED = 0.25  # of negatives
_TRIES = 3  # of an edit that finds no place
_BEHIND = 1.02  # depth of a scene beyond an opening over that of the opening, at least
_MOST_SCALED = 4.0  # a scene beyond an opening is not enlarged further than this


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """What edits of a frame are made from.

    Args:
        planes: Of the frame's scene.
        gallery: Pictures.
        own: Number of the frame in the gallery, if it is one of its pictures; else None.
        beyond: Returns the name, image and inverse depth of another frame, in the sizes of this; None without another.
        study: Whether depth is edited as in the study.
    """

    planes: Planes
    gallery: Gallery
    own: int | None
    beyond: Callable[[np.random.Generator], tuple[str, Image, Float64] | None]
    study: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done to a frame.

    Args:
        what: "art", "mirror", "screen", "opening" or "through".
        outline_px: Corners or curve of the panel, (u, v) in pixels of the depth map.
        plane: (a, b, c), 1/z = a u + b v + c in pixels of the depth map.
        of_scene: Whether the plane is one of the scene; otherwise it floats in front of it.
        plane_residual: How far the scene is from its plane, as a share of the inverse depth; 0 for a floating plane.
        shape, style, source: Of what is shown; "" where it has none.
        framed: Whether it has a frame.
        pixels: Pixels of depth by region; "frame" has none.
    """

    what: str
    outline_px: tuple[tuple[float, float], ...]
    plane: tuple[float, float, float]
    of_scene: bool
    plane_residual: float
    shape: str
    style: str
    source: str
    framed: bool
    pixels: dict[str, int]


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
        yield from _pasted(
            canvas,
            _paste_of(panel, place, "art", materials, lit=not glowing),
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
                one = _paste_of(panel, place, "mirror", materials, reflected=colours)
                done = list(_pasted(canvas, one, Words("mirror", shape, "", "", has_frame)))
                if done:
                    yield from done
                    break


def _negative(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
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
    one = _paste_of(panel, place, "art", materials, lit=False)
    yield from _pasted(canvas, one, Words("screen", "rectangle", "", "", False))


def _opening(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Iterator[Edit]:
    """Paste a frame in front of the scene, which is seen through it as it is."""
    panel, aspect = _frame(rng)
    area = float(np.exp(rng.uniform(np.log(0.05), np.log(0.8))))
    place = floating(canvas, rng, step=materials.planes.step_px, area=area, aspect=aspect)
    one = _paste_of(panel, place, "art", materials)
    yield from _pasted(canvas, one, Words("opening", "rectangle", "", "", True))


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
    one = _paste_of(panel, place, "art", materials, beyond=beyond)
    yield from _pasted(canvas, one, Words("through", "rectangle", "", name, True))


def _frame(rng: np.random.Generator) -> tuple[Panel, float]:
    """Return the frame of a window or doorway and its width over height."""
    door = rng.random() < 0.4
    aspect = float(rng.uniform(0.4, 0.6) if door else np.exp(rng.normal(0.1, 0.35)))
    bars = (0, 0) if door else (int(rng.integers(0, 3)), int(rng.integers(0, 2)))
    return opening(aspect, shapes.rectangle(rng), rng, bars=bars), aspect


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


@dataclass(frozen=True, slots=True)
class Words:
    """What an edit is, in words; see Edit."""

    what: str
    shape: str
    style: str
    source: str
    framed: bool


def _paste_of(
    panel: Panel,
    place: Place | None,
    region: str,
    materials: Materials,
    *,
    lit: bool = True,
    reflected: Callable[[Box], Image] | None = None,
    beyond: Beyond | None = None,
) -> Paste | None:
    """Return the paste of a panel, None without a place for it."""
    if place is None:
        return None
    tolerance = materials.planes.tolerance if place.of_scene else 0.0
    return Paste(panel, place, region, tolerance, reflected, beyond, lit, materials.study)


def _pasted(canvas: Canvas, one: Paste | None, words: Words) -> Iterator[Edit]:
    """Paste a panel and yield what was done; nothing if it was not possible."""
    counts = paste(canvas, one) if one is not None else None
    if one is None or counts is None:
        return
    outline = project(one.place.homography, one.panel.outline)
    plane = one.place.plane
    yield Edit(
        words.what,
        tuple((round(float(u), 2), round(float(v), 2)) for u, v in outline),
        plane.coefficients,
        one.place.of_scene,
        plane.residual,
        words.shape,
        words.style,
        words.source,
        words.framed,
        counts,
    )


_APPLY: dict[Kind, Callable[[Canvas, Materials, np.random.Generator], Iterator[Edit]]] = {
    "mirror": _mirror,
    "art": _art,
    "negative": _negative,
}
