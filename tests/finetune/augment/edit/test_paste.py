"""A pasted panel has its plane's depth where it is seen, and what stands in front keeps its pixels and depth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_room import draw_room
from numpy.typing import NDArray

from depthrt.bench.datasets.regions import region
from depthrt.finetune.augment.edit.canvas import Canvas
from depthrt.finetune.augment.edit.paste import Beyond, Paste, paste
from depthrt.finetune.augment.edit.place import Place
from depthrt.finetune.augment.geometry.plane import Box, through
from depthrt.finetune.augment.geometry.rectangles import rectangle
from depthrt.finetune.augment.paint.panels import framed, opening, picture_panel
from depthrt.finetune.augment.paint.shapes import SHAPES

SIZE_PX = (96, 128)
BOX = Box(0, 96, 0, 128)
RED_BGR, BLACK = (10, 20, 230), (0, 0, 0)
SQUARE = SHAPES["rectangle"][1](np.random.default_rng(0))
FAR_M = 9.0


def made_canvas(scale: int = 1) -> Canvas:
    room = draw_room(*SIZE_PX)
    image = draw_room(SIZE_PX[0] * scale, SIZE_PX[1] * scale).image
    return Canvas(image, 1 / room.depth_m.astype(np.float64), np.zeros(SIZE_PX, np.uint8), room.camera)


def wall_paste(canvas: Canvas, colour: tuple[int, int, int], *, centre: tuple[float, float] = (48.0, 46.0)) -> Paste:
    """A picture on the wall behind the post, which hides a part of it."""
    plane = through(np.array([0.05, 0.0, 0.26]), canvas.camera)
    homography = rectangle(plane, canvas.camera, centre, area_px=900, aspect=1.4, roll_rad=0.1)
    assert homography is not None
    picture: NDArray[np.uint8] = np.full((60, 84, 3), colour, np.uint8)
    return Paste(picture_panel(picture, SQUARE), Place(homography, plane, True), "art", 0.004, lit=False)


@pytest.mark.parametrize("colour", [RED_BGR, BLACK], ids=["red", "black"])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_picture_has_its_colour_and_the_depth_of_its_plane(colour: tuple[int, int, int], scale: int) -> None:
    canvas, one = made_canvas(scale), wall_paste(made_canvas(), colour)
    counts = paste(canvas, one)
    art = region(canvas.regions, "art")
    assert counts == {"art": art.sum()} and art.sum() > 500
    assert (canvas.inverse[art] == one.place.plane.inverse(BOX)[art]).all()
    assert (canvas.changed == art).all()
    inner = np.kron(art, np.ones((scale, scale), np.bool_))
    inner &= np.roll(inner, 3 * scale, 1) & np.roll(inner, -3 * scale, 1) & np.roll(inner, 3, 0) & np.roll(inner, -3, 0)
    assert (canvas.image[inner] == colour).all(), "no hole, no swapped colours"


def test_what_stands_in_front_keeps_its_pixels_and_depth() -> None:
    before, canvas = made_canvas(), made_canvas()
    paste(canvas, wall_paste(canvas, RED_BGR))
    post = draw_room(*SIZE_PX).wall == -1
    assert (canvas.image[post] == before.image[post]).all()
    assert (canvas.inverse[post] == before.inverse[post]).all()
    assert not canvas.changed[post].any()
    beside = np.roll(post, 2, 1) & ~post
    assert canvas.changed[beside].any(), "the picture goes on behind it"


def test_the_edge_of_a_picture_is_soft_and_its_depth_is_not() -> None:
    before, canvas = made_canvas(), made_canvas()
    one = wall_paste(canvas, RED_BGR, centre=(80.0, 46.0))
    paste(canvas, one)
    share = (canvas.image.astype(float) - before.image) / (np.array(RED_BGR) - before.image.astype(float) + 1e-9)
    mixed = (share[..., 2] > 0.1) & (share[..., 2] < 0.9)
    assert mixed.sum() > 20
    inverse = canvas.inverse
    either = (inverse == before.inverse) | (inverse == one.place.plane.inverse(BOX))
    assert either.all()


def test_unknown_depth_stays_unknown_and_sky_is_covered() -> None:
    canvas = made_canvas()
    canvas.inverse[40:50, 60:64], canvas.inverse[30:35, 55:60] = np.nan, 0
    paste(canvas, wall_paste(canvas, RED_BGR))
    assert np.isnan(canvas.inverse[40:50, 60:64]).all()
    assert not canvas.regions[40:50, 60:64].any()
    assert region(canvas.regions, "art")[36:39, 55:60].all()
    assert (canvas.inverse[30:35, 55:60] > 0).any()


def test_pictures_that_would_touch_are_refused() -> None:
    canvas = made_canvas()
    assert paste(canvas, wall_paste(canvas, RED_BGR, centre=(70.0, 46.0))) is not None
    before = canvas.image.copy()
    assert paste(canvas, wall_paste(canvas, BLACK, centre=(85.0, 46.0))) is None
    assert (canvas.image == before).all()


def test_what_lies_outside_the_image_or_behind_all_is_refused() -> None:
    canvas = made_canvas()
    assert paste(canvas, wall_paste(canvas, RED_BGR, centre=(-300.0, 46.0))) is None
    hidden = wall_paste(canvas, RED_BGR)
    hidden = replace(hidden, place=replace(hidden.place, plane=hidden.place.plane.nearer(0.01)))
    assert paste(canvas, hidden) is None


def test_a_frame_is_flat_and_has_no_region() -> None:
    canvas = made_canvas()
    one = wall_paste(canvas, RED_BGR, centre=(80.0, 46.0))
    counts = paste(canvas, replace(one, panel=framed(one.panel, np.random.default_rng(1))))
    assert counts is not None and counts["frame"] > 30 and counts["art"] > 300
    frame = canvas.changed & ~region(canvas.regions, "art")
    assert (canvas.inverse[frame] == one.place.plane.inverse(BOX)[frame]).all()


@pytest.mark.parametrize("with_scene", [False, True])
def test_an_opening_keeps_its_depth_or_shows_that_of_another_scene(with_scene: bool) -> None:
    before, canvas = made_canvas(), made_canvas()
    one = wall_paste(canvas, RED_BGR, centre=(80.0, 46.0))
    panel = opening(1.4, SQUARE, np.random.default_rng(0), bars=(1, 0))
    beyond = Beyond(np.full(canvas.image.shape, RED_BGR, np.uint8), np.full(SIZE_PX, 1 / FAR_M))
    beyond.inverse[:, 82:90] = np.nan
    counts = paste(canvas, replace(one, panel=panel, beyond=beyond if with_scene else None))
    window = region(canvas.regions, "window")
    assert counts is not None and counts["window"] == window.sum() > 200 and counts["frame"] > 50
    if not with_scene:
        assert (canvas.inverse[window] == before.inverse[window]).all()
        assert not canvas.changed[window].any()
        return
    unknown = np.isnan(beyond.inverse)
    assert (canvas.inverse[window & ~unknown] == 1 / FAR_M).all()
    assert canvas.erased[window & unknown].all() and not canvas.changed[window & unknown].any()
    assert (canvas.image[window].astype(int) - RED_BGR == 0).all(1).mean() > 0.7


def test_a_mirror_shows_what_it_is_given_within_its_frame() -> None:
    canvas = made_canvas()
    one = wall_paste(canvas, BLACK, centre=(80.0, 46.0))
    panel = framed(one.panel, np.random.default_rng(1))
    shown = replace(
        one, panel=panel, region="mirror", reflected=lambda box: np.full((box.height, box.width, 3), RED_BGR, np.uint8)
    )
    assert paste(canvas, shown) is not None
    mirror = region(canvas.regions, "mirror")
    assert (canvas.image[mirror] == RED_BGR).all(1).mean() > 0.8
    assert not (canvas.image[canvas.changed & ~mirror] == RED_BGR).all(1).any()
