"""Drafts: nested frames, instances, solids, the camera, and things that are too close to it."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from seen_scenes import extent

from depthrt.finetune.scenes.draft import BALL, BOX, LACE, ROUND, THING, Draft, Eye, clear_view, eye_rotation, look_at
from depthrt.finetune.scenes.textures.materials import MATERIAL_FIELDS, Palette

EXACT = 1e-12  # a few roundings of float64


@pytest.fixture
def d() -> Draft:
    return Draft(Random(0))


@pytest.fixture
def plain(d: Draft) -> tuple[float, ...]:
    return Palette(d.rng).even((0.5, 0.5, 0.5))


def test_nested_frames_compose(d: Draft) -> None:
    with d.at(1, 2, 3, yaw=math.pi / 2, scale=2), d.at(1, 0, 0, lean=math.pi / 2):
        found = d.place(0, 1, 0)  # y becomes z by the lean; x became y by the yaw; both are doubled
    assert found == pytest.approx((1, 4, 5), abs=EXACT)
    assert d.place(0, 1, 0) == (0, 1, 0)  # outside of the frames again


def test_a_frame_is_left_after_an_error(d: Draft) -> None:
    with pytest.raises(KeyError), d.at(5, 5, 5):
        raise KeyError
    assert d.place(0, 0, 0) == (0, 0, 0)


def test_a_frame_begins_an_instance_unless_it_is_the_same(d: Draft, plain: tuple[float, ...]) -> None:
    d.box(0, 0, 0, 1, 1, 1, plain)
    with d.at(0, 0, 0):
        d.box(0, 0, 0, 1, 1, 1, plain)
        with d.at(0, 0, 0, same=True):
            d.box(0, 0, 0, 1, 1, 1, plain)
    with d.at(0, 0, 0):
        d.box(0, 0, 0, 1, 1, 1, plain)
    assert [row[THING] for row in d.solids] == [0, 1, 1, 2]


def test_every_solid_is_a_row_with_its_box_where_it_was_drawn(d: Draft, plain: tuple[float, ...]) -> None:
    d.box(1, 2, 3, 2, 4, 6, plain)
    d.ball(1, 2, 3, 0.5, 0.6, 0.7, plain)
    d.lace(1, 2, 3, 0.5, 0.6, 0.7, plain, waves=9.0)
    d.tube(1, 2, 3, 0.5, 2, plain, top=0.25)
    d.bar((0, 0, 0), (0, 0, 4), 0.5, plain)
    d.limb((0, 0, 0), (0, 0, 4), 0.5, plain, bulge=0.5)
    assert [row[0] for row in d.solids] == [BOX, BALL, LACE, ROUND, ROUND, BALL]
    assert {len(row) for row in d.solids} == {THING + 1 + len(MATERIAL_FIELDS)}
    ball = ((0.5, 1.4, 2.3), (1.5, 2.6, 3.7))
    boxes = [((0, 0, 3), (2, 4, 9)), ball, ball, ((0.5, 1.5, 3), (1.5, 2.5, 5)), ((-0.5, -0.5, 0), (0.5, 0.5, 4))]
    for row, (low, high) in zip(d.solids[:5], boxes, strict=True):
        found = extent([row])
        assert np.allclose(found, (low, high), atol=EXACT)
    across = sorted(np.subtract(*extent([d.solids[5]])[::-1]))
    assert across == pytest.approx([0.5, 1.0, 4.0], abs=EXACT)  # twice r * bulge, twice r, the length


def test_the_opening_of_lace_is_its_waves_and_of_a_tube_whether_it_is_hollow(
    d: Draft, plain: tuple[float, ...]
) -> None:
    d.lace(0, 0, 0, 1, 1, 1, plain, waves=9.0)
    d.tube(0, 0, 0, 1, 1, plain, hollow=True)
    d.tube(0, 0, 0, 1, 1, plain)
    assert [row[THING - 1] for row in d.solids] == [9.0, 1.0, 0.0]


def test_windows_are_boxes_apart_from_the_solids(d: Draft) -> None:
    with d.at(0, 4, 0, scale=2):
        d.window(0, 0, 1, 1, 0.01, 0.5)
    assert not d.solids
    (row,) = d.windows
    assert row[1:4] == pytest.approx((0, 4, 2.5)) and row[13:16] == pytest.approx((1, 0.01, 0.5))


def test_a_camera_has_x_right_y_down_and_z_forward() -> None:
    assert np.allclose(np.reshape(eye_rotation(Eye()), (3, 3)).T, [(1, 0, 0), (0, 0, -1), (0, 1, 0)], atol=EXACT)
    for eye in (Eye(yaw_rad=0.5), Eye(pitch_rad=-0.4), Eye(yaw_rad=2.0, pitch_rad=0.3, roll_rad=0.2)):
        rotation = np.reshape(eye_rotation(eye), (3, 3))
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=EXACT)
        assert np.linalg.det(rotation) == pytest.approx(1.0, abs=EXACT)
    left, up = (np.reshape(eye_rotation(eye), (3, 3))[:, 2] for eye in (Eye(yaw_rad=0.1), Eye(pitch_rad=0.1)))
    assert left[0] < 0 < up[2]


@pytest.mark.parametrize("target", [(3.0, 4.0, 0.5), (-1.0, -2.0, 5.0), (1.0, 2.0, 9.0)])
def test_an_eye_looks_at_its_target(target: tuple[float, float, float]) -> None:
    eye = look_at(Eye((1.0, 1.0, 1.6), roll_rad=0.3), target)
    ahead = np.reshape(eye_rotation(eye), (3, 3))[:, 2]
    way = np.subtract(target, eye.position)
    assert np.allclose(ahead, way / np.linalg.norm(way), atol=EXACT)
    assert eye.roll_rad == 0.3


def test_things_close_to_the_camera_are_removed_as_a_whole_and_the_room_stays(
    d: Draft, plain: tuple[float, ...]
) -> None:
    d.box(0, 0, 1.5, 1, 1, 1, plain)  # the room, around the camera
    with d.at(0, 0.7, 1.6):
        d.box(0, 0, 0, 1.2, 1.2, 0.2, plain)  # 0.1 m ahead of the camera
        d.box(0, 5, 0, 1, 1, 1, plain)  # far away, of the same instance
    with d.at(0, 0.7, 1.6):
        d.box(0, 0, 0, 0.9, 0.9, 0.2, plain)  # 0.25 m ahead
    clear_view(d)
    assert [row[THING] for row in d.solids] == [0, 2]
