"""The messages of a picture's depth: one header for all, and only what is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_bags import HEIGHT, WIDTH, camera_message, header, picture
from made_depth import make_depth

from depthrt import Depth, InputError
from depthrt.robots.answers import messages_of, seen
from depthrt.robots.views import View, Views


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
