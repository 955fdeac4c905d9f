"""What a mirror shows is reversed, upright, and within the picture."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_room import WALLS, draw_room

from depthrt.finetune.augment.geometry.plane import through
from depthrt.finetune.augment.geometry.rectangles import project
from depthrt.finetune.augment.geometry.reflection import reflection

SIZE_PX = (96, 128)
CAMERA = draw_room(*SIZE_PX).camera
OUTLINES = {
    0: np.array([[60.0, 30.0], [85.0, 28.0], [85.0, 60.0], [60.0, 62.0]]),
    4: np.array([[112.0, 30.0], [124.0, 26.0], [124.0, 70.0], [112.0, 66.0]]),
}


@pytest.mark.parametrize("wall", OUTLINES)
@pytest.mark.parametrize("seed", range(4))
def test_a_mirror_shows_a_reversed_upright_part_of_the_picture(wall: int, seed: int) -> None:
    plane, outline = through(np.array(WALLS[wall]), CAMERA), OUTLINES[wall]
    found = reflection(plane, CAMERA, outline, SIZE_PX, np.random.default_rng(seed))
    assert found is not None
    shown = project(found, outline)
    assert (shown >= 0).all() and (shown <= (127, 95)).all()
    middle = outline.mean(0)
    right, down = (
        project(found, (middle + step)[None])[0] - project(found, middle[None])[0] for step in ((1, 0), (0, 1))
    )
    assert right[0] * down[1] - right[1] * down[0] < 0, "reversed"
    assert down[1] > 0, "upright"


def test_the_same_seed_shows_the_same() -> None:
    plane = through(np.array(WALLS[0]), CAMERA)
    first, second = (reflection(plane, CAMERA, OUTLINES[0], SIZE_PX, np.random.default_rng(7)) for _ in range(2))
    assert first is not None and second is not None and (first == second).all()


def test_a_mirror_that_shows_more_than_the_picture_holds_is_refused() -> None:
    whole = np.array([[-400.0, -300.0], [600.0, -300.0], [600.0, 400.0], [-400.0, 400.0]])
    plane = through(np.array([0.0, 0.0, 0.5]), CAMERA)
    assert reflection(plane, CAMERA, whole, SIZE_PX, np.random.default_rng(0)) is None
