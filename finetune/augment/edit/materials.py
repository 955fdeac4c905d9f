"""What edits are made from, and what is recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..geometry.find_planes import Planes
from ..geometry.plane import Box, Float64
from ..geometry.rectangles import project
from ..paint.gallery import Gallery
from ..paint.panels import Panel
from .canvas import Canvas, Image
from .paste import Beyond, Paste, paste
from .place import Place


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


@dataclass(frozen=True, slots=True)
class Words:
    """What an edit is, in words; see Edit."""

    what: str
    shape: str
    style: str
    source: str
    framed: bool


def paste_of(
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


def pasted(canvas: Canvas, one: Paste | None, words: Words) -> Iterator[Edit]:
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
