"""Flat things as rasters: framed pictures, mirrors, screens that are switched off, and frames around openings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .shapes import Outline

Image = NDArray[np.uint8]
Share = NDArray[np.uint8]  # 0 to 255

_FRAMES_BGR = (  # wood, dark wood, black, white, gold, silver, red lacquer
    (60, 95, 140),
    (30, 45, 75),
    (25, 25, 25),
    (225, 228, 230),
    (70, 150, 190),
    (160, 160, 160),
    (40, 40, 130),
)
_LIGHT = np.array([-0.6, -0.8])  # where the light of a frame's bevel comes from: (u, v)
_PANE_PX = 512  # longer side of a raster without a picture


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A flat thing.

    Args:
        colours: (h, w, 3) uint8, BGR. What is drawn is never told from what is not by its colour.
        outline: (n, 2), in the unit square.
        shown: (h, w) uint8, 255 where the picture, mirror or screen is, 0 on its frame.
        hole: (h, w) uint8, 255 where one looks through; None without an opening.
    """

    colours: Image
    outline: Outline
    shown: Share
    hole: Share | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Return (h, w) of the raster."""
        return self.colours.shape[0], self.colours.shape[1]


def picture_panel(picture: Image, outline: Outline) -> Panel:
    """Return a picture without a frame, cut along an outline."""
    return Panel(picture, outline, np.full(picture.shape[:2], 255, np.uint8))


def blank_panel(aspect: float, outline: Outline) -> Panel:
    """Return a panel of a width over height whose colours come later."""
    width, height = (_PANE_PX, _PANE_PX / aspect) if aspect > 1 else (_PANE_PX * aspect, _PANE_PX)
    return picture_panel(np.zeros((max(8, round(height)), max(8, round(width)), 3), np.uint8), outline)


def framed(panel: Panel, rng: np.random.Generator, *, mat: float = 0.0) -> Panel:
    """Return a panel with a frame drawn over its border.

    Args:
        panel: The panel.
        rng: Draws width and colour.
        mat: Share of frames with white paper inside them.
    """
    distance = _to_outline(panel)
    wide = float(rng.uniform(0.025, 0.1)) * min(panel.size_px)
    base = np.array(_FRAMES_BGR[int(rng.integers(len(_FRAMES_BGR)))]) * rng.uniform(0.8, 1.15)
    colours, inner = panel.colours.copy(), wide
    if rng.random() < mat:
        inner = wide * float(rng.uniform(1.6, 3.0))
        colours[distance < inner] = rng.integers(215, 250, 3)
    frame = distance < wide
    colours[frame] = _bevelled(distance, wide, base, rng)[frame]
    return replace(panel, colours=colours, shown=_above(distance, inner))


def screen_off(aspect: float, outline: Outline, rng: np.random.Generator) -> Panel:
    """Return a dark screen with a faint gleam and a thin border."""
    panel = blank_panel(aspect, outline)
    height, width = panel.size_px
    v, u = np.mgrid[:height, :width] / max(height, width)
    angle = rng.uniform(0, 2 * np.pi)
    gleam = np.exp(-((((u - 0.5) * np.cos(angle) + (v - 0.5) * np.sin(angle) + rng.uniform(-0.3, 0.3)) / 0.2) ** 2))
    level = rng.uniform(6, 30) + rng.uniform(0, 22) * gleam
    colours = np.clip(level[..., None] * rng.uniform(0.85, 1.1, 3), 0, 255).astype(np.uint8)
    border = _to_outline(panel) < 0.015 * min(panel.size_px)
    colours[border] = int(rng.integers(0, 60))
    return replace(panel, colours=colours)


def opening(aspect: float, outline: Outline, rng: np.random.Generator, *, bars: tuple[int, int]) -> Panel:
    """Return the frame of an opening.

    Args:
        aspect: Width over height.
        outline: Of the frame.
        rng: Draws width and colour.
        bars: Bars that stand and bars that lie, within the frame.
    """
    panel = framed(blank_panel(aspect, outline), rng)
    height, width = panel.size_px
    hole, colours = panel.shown.copy(), panel.colours.copy()
    thick = max(2, round(0.02 * min(height, width)))
    shade = colours[height // 2, 1] if panel.shown[height // 2, 1] == 0 else np.array((200, 200, 200), np.uint8)
    for index in range(bars[0]):
        left = round(width * (index + 1) / (bars[0] + 1)) - thick // 2
        hole[:, left : left + thick], colours[:, left : left + thick] = 0, shade
    for index in range(bars[1]):
        top = round(height * (index + 1) / (bars[1] + 1)) - thick // 2
        hole[top : top + thick], colours[top : top + thick] = 0, shade
    # The colour of the frame continues under the opening, so that its edge does not turn dark.
    colours[hole > 0] = shade
    return replace(panel, colours=colours, shown=np.zeros_like(hole), hole=hole)


def _to_outline(panel: Panel) -> NDArray[np.float32]:
    """Return the distance of each pixel within the outline from it, pixels; 0 outside."""
    height, width = panel.size_px
    inside = np.zeros((height + 2, width + 2), np.uint8)  # beyond the raster is outside
    points = np.rint(panel.outline * (width, height) * 16).astype(np.int32) + 8
    cv2.fillPoly(inside, [points], 1, shift=4)
    inside[[0, -1]], inside[:, [0, -1]] = 0, 0
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def _above(distance: NDArray[np.float32], limit: float) -> Share:
    """Return 255 where a distance is beyond a limit, 0 below it, with an edge of a pixel."""
    return np.asarray(np.clip((distance - limit + 0.5) * 255, 0, 255), np.uint8)


def _bevelled(distance: NDArray[np.float32], wide: float, base: NDArray[np.float64], rng: np.random.Generator) -> Image:
    """Return a frame of a colour, lit from above, round across its width, with the grain of wood."""
    du, dv = (cv2.Sobel(distance, cv2.CV_32F, *order, ksize=5) for order in ((1, 0), (0, 1)))
    length = np.maximum(np.hypot(du, dv), 1e-6)
    side = -(du * _LIGHT[0] + dv * _LIGHT[1]) / length  # the bevel rises inwards: its outer face looks outwards
    across = np.clip(distance / wide, 0, 1)
    light = 1 + 0.28 * side * np.where(across < 0.5, 1, -0.6) - 0.25 * (across > 0.9) - 0.15 * (across < 0.1)
    grain = cv2.resize(rng.normal(1, 0.05, (24, 24)).astype(np.float32), distance.shape[::-1])  # (w, h)
    return np.asarray(np.clip(base * (light * grain)[..., None], 0, 255), np.uint8)
