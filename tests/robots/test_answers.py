"""The messages of a picture's depth: one header for all, and only what is asked for."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from made_bags import HEIGHT, WIDTH, camera_message, header, picture
from made_depth import make_depth
from made_floor import CAMERA, HEIGHT_M, SIZE_PX, see
from numpy.typing import NDArray

from depthrt import Depth, InputError, ObstacleGate
from depthrt.engine.terms import DepthEncoding, Kind
from depthrt.robots.answers import Messages, check_wishes, messages_of, seen, warn_of_no_floor
from depthrt.robots.views import View, Views

GATE = ObstacleGate(0.05, 0.3, camera_height_m=HEIGHT_M)


@pytest.mark.parametrize(
    ("kind", "encoding", "points", "gate", "complaint"),
    [
        ("inverse", "16UC1", False, None, "16UC1, which is whole millimetres, found for inverse depth"),
        ("inverse", "32FC1", True, None, "--points found, and the model gives inverse depth, which has no metres"),
        ("metric", "32FC1", False, GATE, "--gate found without --points, expected both"),
    ],
)
def test_wishes_that_no_depth_can_meet_are_refused(
    kind: Kind, encoding: DepthEncoding, points: bool, gate: ObstacleGate | None, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        check_wishes(kind, encoding=encoding, points=points, gate=gate)


def test_all_wishes_of_metres_can_be_met() -> None:
    check_wishes("metric", encoding="16UC1", points=True, gate=GATE)
    check_wishes("inverse", encoding="32FC1", points=False, gate=None)


def test_a_warning_says_why_there_are_no_points(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "depthrt"):
        warn_of_no_floor("no floor found in 9 % of the image")
    assert "images without a floor get no points: no floor found in 9 % of the image" in caplog.text


@pytest.fixture
def view() -> View:
    found = Views(rectified=True, rectify=False, needed=True).look(picture(0), camera_message(), header(3))[1]
    assert found is not None
    return found


def metric(view: View | None = None) -> Depth:
    depth = make_depth(np.full((HEIGHT, WIDTH), 2, np.float32), kind="metric")
    camera = None if view is None else view.intrinsics
    return replace(depth, provenance=replace(depth.provenance, camera=camera))


def test_all_messages_have_the_pictures_header_and_size(view: View) -> None:
    made = messages_of(metric(view), picture(0), view, header(3), encoding="32FC1", info=True, points=True)
    assert made.info is not None and made.points is not None
    for message in (made.depth, made.info, made.points):
        assert message.header == header(3) and (message.height, message.width) == (HEIGHT, WIDTH)


def test_only_what_is_asked_for_is_made(view: View) -> None:
    made = messages_of(metric(), picture(0), view, header(3), encoding="32FC1", info=False, points=False)
    assert made.info is None and made.points is None
    assert messages_of(metric(), None, None, header(3), encoding="32FC1", info=True, points=False).info is None


def test_inverse_depth_is_never_millimetres(view: View) -> None:
    inverse = make_depth(np.ones((HEIGHT, WIDTH), np.float32), kind="inverse")
    with pytest.raises(InputError, match="16UC1"):
        messages_of(inverse, None, view, header(3), encoding="16UC1", info=False, points=False)


def test_depth_where_the_camera_saw_nothing_is_unknown(view: View) -> None:
    inside = np.zeros((HEIGHT, WIDTH), np.bool_)
    inside[:, :10] = True
    values = seen(metric(), replace(view, inside=inside)).values
    assert np.isnan(values[:, 10:]).all() and (values[:, :10] == 2).all()
    assert seen(metric(), None).values is not None


def test_a_gate_keeps_the_points_of_obstacles_and_without_a_floor_there_are_none() -> None:
    seen_floor, gate = see(), GATE
    view = View(camera_message(height=SIZE_PX[0], width=SIZE_PX[1]), CAMERA)

    def made(depth_m: NDArray[np.float32]) -> Messages:
        depth = make_depth(depth_m, kind="metric")
        depth = replace(depth, provenance=replace(depth.provenance, camera=CAMERA))
        return messages_of(depth, None, view, header(3), encoding="32FC1", info=True, points=True, gate=gate)

    found = made(seen_floor.depth_m)
    assert found.points is not None and found.no_floor == ""
    heights = found.points.data.view("<f4").reshape(*SIZE_PX, 3)[..., 2]
    sure = np.abs(seen_floor.height_m - 0.05) > 1e-3
    expected = (seen_floor.height_m > 0.05) & (seen_floor.height_m < 0.3)
    assert np.array_equal(np.isfinite(heights)[sure], expected[sure]) and not found.points.is_dense
    assert "the floor is 0.40 m under the camera" in found.note
    wall = made(np.full(SIZE_PX, 2, np.float32))
    assert wall.points is None and wall.info is not None and "no floor found" in wall.no_floor and wall.note == ""
