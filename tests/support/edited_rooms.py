"""Rooms with edits of each kind."""

from __future__ import annotations

from functools import cache

import numpy as np
from drawn_room import draw_room
from numpy.typing import NDArray

from depthrt.finetune.augment.edit.canvas import Canvas, Image
from depthrt.finetune.augment.edit.kinds import Kind, apply
from depthrt.finetune.augment.edit.materials import Edit, Materials
from depthrt.finetune.augment.geometry.find_planes import find_planes
from depthrt.finetune.augment.geometry.plane import Float64
from depthrt.finetune.augment.paint.gallery import Gallery

SIZE_PX = (96, 128)


@cache
def edited(kind: Kind, seed: int, *, alone: bool = False) -> tuple[Canvas, Canvas, tuple[Edit, ...]]:
    """A room before and after edits of a kind."""
    rng = np.random.default_rng(seed)
    room, other = draw_room(*SIZE_PX), draw_room(*SIZE_PX, seed=5)
    before, canvas = (
        Canvas(room.image.copy(), 1 / room.depth_m.astype(np.float64), np.zeros(SIZE_PX, np.uint8), room.camera)
        for _ in range(2)
    )

    def beyond(draws: np.random.Generator) -> tuple[str, Image, Float64] | None:
        return None if alone else ("other", other.image, 1 / other.depth_m.astype(np.float64))

    pictures: list[NDArray[np.uint8]] = [other.image]
    gallery = Gallery(["other"], lambda number: pictures[number])
    materials = Materials(find_planes(canvas.inverse, rng), gallery, None, beyond)
    return before, canvas, apply(kind, canvas, materials, rng)
