"""Pastes a panel onto a plane of a frame: colours with soft edges, depth with hard ones, occluders left in front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ....bench.datasets.regions import REGIONS
from ..geometry.plane import Box, Float64
from ..geometry.rectangles import project
from ..paint.panels import Panel
from ..study_edit import study_inverse
from .canvas import Canvas, Image, Mask
from .coverage import Share, box_of, coverage
from .place import Place

FLAT = np.uint8(1 << REGIONS.index("mirror") | 1 << REGIONS.index("art"))
_MOST_DENSE = 1.5  # pixels of a raster per pixel of the image, before it is shrunk
_EDGE_PX = 0.7  # blur of what is seen of a panel beside an occluder

Colours = Callable[[Box], Image]


@dataclass(frozen=True, slots=True, eq=False)
class Beyond:
    """A scene that is seen through an opening: pixels (H, W, 3) and inverse depth (h, w) of the frame's sizes."""

    image: Image
    inverse: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Paste:
    """A panel in its place.

    Args:
        panel: What is pasted.
        place: Where.
        region: Name of what it shows, "mirror" or "art"; the opening of a panel is always "window".
        tolerance: The scene is in front where its inverse depth is larger by more than this share.
        reflected: Returns the colours of a mirror in a box of the image; None for those of the panel.
        beyond: What is seen through the opening; None for what is there.
        lit: Whether the scene's light falls on the panel.
        study: Whether its depth is that of study_edit.py.
    """

    panel: Panel
    place: Place
    region: str
    tolerance: float
    reflected: Colours | None = None
    beyond: Beyond | None = None
    lit: bool = True
    study: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a panel covers in a box of an image, (height, width) float32 shares: all of it, its picture, its hole."""

    box: Box
    homography: Float64  # raster to pixels
    solid: Share
    shown: Share
    hole: Share


def paste(canvas: Canvas, one: Paste, *, least_px: int = 24) -> dict[str, int] | None:
    """Paste a panel; return how many pixels of depth each region got, by name, "frame" for those without a region.

    Nothing is changed, and None returned, if less than `least_px` pixels would show it, or if its picture would touch
    another mirror or picture, whose plane is another.
    """
    seen = _look(one, canvas.size_px, np.eye(3))
    if seen is None:
        return None
    index, own = seen.box.slices, _depth(canvas, one, seen.box)
    scene = canvas.inverse[index]
    with np.errstate(invalid="ignore"):
        in_front = scene > one.place.plane.inverse(seen.box) * (1 + one.tolerance)
    known = ~np.isnan(scene)
    solid = (seen.solid >= 0.5) & ~in_front & known
    hole = (seen.hole > 0.5) & ~in_front
    shown = solid & (seen.shown >= 0.5)
    if (shown | hole).sum() < least_px or _touches(canvas.regions[index], shown):
        return None
    _paint(canvas, one, seen, ~in_front)
    canvas.inverse[index][solid] = own[solid]
    canvas.changed[index][solid] = True
    canvas.erased[index][solid] = False
    canvas.regions[index][solid] = 0
    canvas.regions[index][shown] = _bit(one.region)
    if one.beyond is not None:
        _open(canvas, hole & known, one.beyond, index)
    canvas.regions[index][hole & known] |= _bit("window")
    counts = {one.region: int(shown.sum()), "window": int(hole.sum()), "frame": int((solid & ~shown).sum())}
    return {name: count for name, count in counts.items() if count}


def _look(one: Paste, size_px: tuple[int, int], to_pixels: Float64) -> _Seen | None:
    """Return what a panel covers of an image; None if it is outside."""
    homography = to_pixels @ one.place.homography
    outline = project(homography, one.panel.outline)
    box = box_of(outline, size_px)
    if box is None:
        return None
    height, width = one.panel.size_px
    raster = homography @ np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1]])
    covered = coverage([outline], box)
    shown = covered * _warped(one.panel.shown, raster, box) if one.panel.shown.min() < 255 else covered
    if one.panel.hole is None:
        return _Seen(box, raster, covered, shown, np.zeros_like(covered))
    hole = covered * _warped(one.panel.hole, raster, box)
    return _Seen(box, raster, covered - hole, shown, hole)


def _warped(mask: NDArray[np.uint8], homography: Float64, box: Box) -> Share:
    return _warp(mask, homography, box, cv2.BORDER_REPLICATE).astype(np.float32) / np.float32(255)


def _warp(raster: NDArray[np.uint8], homography: Float64, box: Box, border: int) -> NDArray[np.uint8]:
    shift = np.array([[1, 0, -box.left], [0, 1, -box.top], [0, 0, 1.0]])
    size = (box.width, box.height)  # (w, h)
    return np.asarray(cv2.warpPerspective(raster, shift @ homography, size, borderMode=border), np.uint8)


def _depth(canvas: Canvas, one: Paste, box: Box) -> Float64:
    if one.study:
        return study_inverse(canvas.inverse, one.place.homography, box)
    return one.place.plane.inverse(box)


def _touches(regions: NDArray[np.uint8], shown: Mask) -> bool:
    """Return whether a picture would border on a mirror or picture that it does not cover."""
    around = cv2.dilate(shown.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_) & ~shown
    return bool((regions[around] & FLAT).any())


def _open(canvas: Canvas, hole: Mask, beyond: Beyond, index: tuple[slice, slice]) -> None:
    """Give the pixels of an opening the depth of the scene beyond; unknown there is unknown here."""
    inverse = beyond.inverse[index]
    unknown = np.isnan(inverse)
    canvas.inverse[index][hole] = inverse[hole]
    canvas.changed[index][hole] = ~unknown[hole]
    canvas.erased[index][hole] = unknown[hole]
    canvas.regions[index][hole] = np.where(inverse == 0, _bit("sky"), np.uint8(0))[hole]


def _paint(canvas: Canvas, one: Paste, seen: _Seen, visible: Mask) -> None:
    """Paint a panel on the image, where nothing stands in front of it."""
    if canvas.image.shape[:2] != canvas.size_px:
        whole = np.zeros(canvas.size_px, np.float32)
        whole[seen.box.slices] = visible
        finer = _look(one, (canvas.image.shape[0], canvas.image.shape[1]), canvas.to_image)
        if finer is None:
            return
        seen = finer
        size = (canvas.image.shape[1], canvas.image.shape[0])  # (w, h)
        visible = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)[seen.box.slices] >= 0.5
    index = seen.box.slices
    below = canvas.image[index]
    colours = _colours(one, seen, below)
    # An occluder keeps its own pixels; beside it the panel is mixed with what was there, which holds its soft edge.
    clear = visible.astype(np.float32)
    if not visible.all():
        clear *= cv2.GaussianBlur(clear, (0, 0), _EDGE_PX)
    share = (seen.solid + seen.hole if one.beyond is not None else seen.solid) * clear
    canvas.image[index] = cv2.blendLinear(colours, np.ascontiguousarray(below), share, 1 - share)


def _colours(one: Paste, seen: _Seen, below: Image) -> Image:
    """Return the colours of a panel in its box, before they are mixed with what is there."""
    colours = _warp(*_shrunk(one.panel.colours, seen), seen.box, cv2.BORDER_REPLICATE)
    if one.lit:
        colours = _lit(colours, below)
    shown = np.divide(seen.shown, np.maximum(seen.solid + seen.hole, 1e-3), dtype=np.float32)
    if one.reflected is not None:
        colours = np.asarray(cv2.blendLinear(one.reflected(seen.box), colours, shown, 1 - shown), np.uint8)
    if one.beyond is not None:
        hole = np.divide(seen.hole, np.maximum(seen.solid + seen.hole, 1e-3), dtype=np.float32)
        behind = np.ascontiguousarray(one.beyond.image[seen.box.slices])
        colours = np.asarray(cv2.blendLinear(behind, colours, hole, 1 - hole), np.uint8)
    return colours


def _shrunk(raster: Image, seen: _Seen) -> tuple[Image, Float64]:
    """Return a raster that is not much finer than the pixels it is drawn on, and its homography, against flicker."""
    area = float(seen.solid.sum() + seen.hole.sum())
    if area <= 0 or raster.shape[0] * raster.shape[1] <= _MOST_DENSE * area:
        return raster, seen.homography
    scale = (area / (raster.shape[0] * raster.shape[1])) ** 0.5
    size = tuple(max(2, round(side * scale)) for side in raster.shape[1::-1])  # (w, h)
    small = np.asarray(cv2.resize(raster, size, interpolation=cv2.INTER_AREA), np.uint8)
    across, down = raster.shape[1] / size[0], raster.shape[0] / size[1]
    grown = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
    return small, seen.homography @ grown


def _lit(colours: Image, below: Image) -> Image:
    """Return colours under the light that falls on what they cover: its brightness, and how it changes."""
    height, width = below.shape[:2]
    small = cv2.resize(below, (max(2, width // 16), max(2, height // 16)), interpolation=cv2.INTER_AREA)  # (w, h)
    gray = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 3) + 8
    level = float(np.clip(gray.mean() / 130, 0.4, 1.1))
    light = np.clip(gray / gray.mean(), 0.65, 1.35) * level
    shade = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)  # (w, h)
    return np.asarray(cv2.multiply(colours, cv2.merge([shade] * 3), dtype=cv2.CV_8U), np.uint8)


def _bit(name: str) -> np.uint8:
    return np.uint8(1 << REGIONS.index(name))
