"""Geometry of rendered scenes: pixels to points of the world and back, moved cameras, scenes of a few solids."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import torch

from depthrt.finetune.scenes.draft import THING, Draft, Eye
from depthrt.finetune.scenes.frames import Vector
from depthrt.finetune.scenes.rays.camera import Cameras, camera_views, cameras_of
from depthrt.finetune.scenes.rays.solids import Solids, gather_solids
from depthrt.finetune.scenes.rays.views import Views
from depthrt.finetune.scenes.render import render_scenes
from depthrt.finetune.scenes.scene import Scenes
from depthrt.finetune.scenes.settings.compose import SETTINGS
from depthrt.finetune.scenes.settings.lights import light_outdoors
from depthrt.finetune.scenes.textures.materials import Palette

ROUNDING = 4e-7  # relative: depth is rounded to float32 once, by 0.6e-7 at most; planes and points are float64
SMALL: Any = {"height_px": 48, "width_px": 64}
Content = Callable[[Draft, Palette], None]


def pixel_grid(scenes: Scenes) -> tuple[torch.Tensor, torch.Tensor]:
    """Return column and row of each pixel, (h, w) float64 each."""
    height, width = scenes.depth_m.shape[1:]
    v, u = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    return u, v


def back_project(scenes: Scenes, index: int) -> torch.Tensor:
    """Return the point of each pixel in the world from depth, intrinsics and pose, (h, w, 3) float64."""
    u, v = pixel_grid(scenes)
    fx, fy, cx, cy = scenes.intrinsics[index]
    z = scenes.depth_m[index].double()
    camera = torch.stack([(u - cx) / fx * z, (v - cy) / fy * z, z], -1)
    return camera @ scenes.cameras.rotation[index].T + scenes.cameras.position[index]


def project(scenes: Scenes, index: int, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return column, row and depth of points of the world (..., 3) in the image of a scene."""
    camera = (points - scenes.cameras.position[index]) @ scenes.cameras.rotation[index]
    fx, fy, cx, cy = scenes.intrinsics[index]
    x, y, z = camera.unbind(-1)
    return fx * x / z + cx, fy * y / z + cy, z


def moved(cameras: Cameras, *, sideways_m: float) -> Cameras:
    """Return the cameras moved to their right."""
    return replace(cameras, position=cameras.position + cameras.rotation[:, :, 0] * sideways_m)


def turned(cameras: Cameras, *, angle: float) -> Cameras:
    """Return the cameras rotated to their right."""
    c, s = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=torch.float64)
    return replace(cameras, rotation=cameras.rotation @ turn)


def made_draft(content: Content, *, seed: int = 0) -> Draft:
    """Return a draft of what `content` draws, with outdoor light."""
    draft = Draft(Random(seed))
    content(draft, Palette(draft.rng))
    light_outdoors(draft)
    return draft


def seen_from(content: Content, eye: Eye, size_px: tuple[int, int]) -> tuple[Solids, Views]:
    """Return the solids that `content` draws, and the view of an eye."""
    return gather_solids([made_draft(content)], "cpu"), camera_views(cameras_of([eye], "cpu"), *size_px)


def draw(monkeypatch: pytest.MonkeyPatch, content: Content, size_px: tuple[int, int] = (64, 64)) -> Scenes:
    """Add a setting "drawn" of what `content` draws, and render it from 1.6 m above the origin along +y."""

    def draft(d: Draft) -> None:
        content(d, Palette(d.rng))
        light_outdoors(d)

    monkeypatch.setitem(SETTINGS, "drawn", ((draft, 1.0),))
    return render_scenes([0], height_px=size_px[0], width_px=size_px[1], setting="drawn")


def corners(row: tuple[float, ...]) -> list[Vector]:
    """Return the corners of the box around a solid of a draft, in the world."""
    centre, rotation, half = row[1:4], row[4:13], row[13:16]
    found = []
    for k in range(8):
        local = [half[axis] * (1 if k >> axis & 1 else -1) for axis in range(3)]
        x, y, z = (
            centre[axis] + sum(rotation[3 * axis + other] * local[other] for other in range(3)) for axis in range(3)
        )
        found.append((x, y, z))
    return found


def extent(rows: list[tuple[float, ...]]) -> tuple[Vector, Vector]:
    """Return the least and greatest coordinates of the boxes around solids."""
    points = [corner for row in rows for corner in corners(row)]
    (x0, x1), (y0, y1), (z0, z1) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    return (x0, y0, z0), (x1, y1, z1)


def rows_of(draft: Draft, thing: int) -> list[tuple[float, ...]]:
    """Return the solids of an instance."""
    return [row for row in draft.solids if row[THING] == thing]
