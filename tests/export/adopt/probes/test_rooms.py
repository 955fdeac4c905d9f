"""The rooms that come with depthrt are images with depth at their pixels, and those that the command renders."""

from __future__ import annotations

import numpy as np

from depthrt.export.adopt.probes.rooms import read_rooms


def test_each_room_has_depth_for_the_pixels_that_at_depth_returns() -> None:
    for room in read_rooms():
        assert room.image.dtype == np.uint8 and room.image.shape == (240, 320, 3)
        assert room.at_depth(np.zeros(room.image.shape[:2], np.float32)).shape == room.depth_m.shape
        assert np.isfinite(room.depth_m).all() and room.depth_m.min() >= 0
        assert 0.5 < room.known.mean() <= 1
        assert 100 < room.focal_px < 1000


def test_only_the_street_has_a_sky() -> None:
    assert [bool(room.known.all()) for room in read_rooms()] == [True, True, True, False]
