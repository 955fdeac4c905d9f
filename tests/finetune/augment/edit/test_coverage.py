"""Coverage is the area of a polygon in each pixel."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.edit.coverage import box_of, coverage, covered
from depthrt.finetune.augment.geometry.plane import Box

SIXTEENTHS = 1 / 16 + 1e-6  # 4 x 4 points a pixel
BOX = Box(0, 20, 0, 20)


def test_a_pixel_has_the_share_that_is_covered() -> None:
    share = coverage([np.array([[2.5, 2.5], [6.0, 2.5], [6.0, 8.5], [2.5, 8.5]])], BOX)
    assert share[5, 4] == 1
    assert share[5, 6] == pytest.approx(0.5, abs=SIXTEENTHS * 4)
    assert share[5, 2] == pytest.approx(0, abs=SIXTEENTHS * 4)
    assert share.sum() == pytest.approx(3.5 * 6, rel=0.05)


def test_what_is_outside_the_box_is_cut() -> None:
    big = np.array([[-1e6, -1e6], [1e6, -1e6], [1e6, 1e6], [-1e6, 1e6]])
    assert coverage([big], BOX).min() == 1
    assert covered(big, (5, 7)).all()


def test_a_box_holds_the_polygon_within_the_image() -> None:
    polygon = np.array([[3.2, 4.0], [9.0, 4.0], [9.0, 30.0]])
    assert box_of(polygon, (20, 20), margin=0) == Box(4, 20, 3, 10)
    assert box_of(polygon + 100, (20, 20)) is None


def test_centres_within_a_polygon_are_covered() -> None:
    found = covered(np.array([[2.0, 1.0], [5.0, 1.0], [5.0, 3.0], [2.0, 3.0]]), (6, 8))
    assert found[1:4, 2:6].all() and found.sum() == 12
