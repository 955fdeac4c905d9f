"""The study's edit is its formula: a saddle between four corners that are drawn to what is nearest."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.geometry.plane import Box
from depthrt.finetune.augment.study_edit import PULL, study_inverse

PLACE = np.array([[40.0, 0, 10], [0, 20.0, 30], [0, 0, 1]])  # (s, t) to pixels 10..50, 30..50


def test_corners_are_drawn_to_the_nearest_and_the_middle_is_their_mean() -> None:
    depth = np.full((80, 100), 4.0)
    depth[50, 50], depth[70:] = 6.0, 2.0
    inverse = study_inverse(1 / depth, PLACE, Box(30, 51, 10, 51))
    corners = [1 / inverse[at] for at in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
    wanted = [(1 - PULL) * z + PULL * 2.0 for z in (4.0, 4.0, 6.0, 4.0)]
    assert corners == pytest.approx(wanted)
    assert 1 / inverse[10, 20] == pytest.approx(np.mean(wanted))


def test_corners_without_depth_count_as_far() -> None:
    depth = np.full((80, 100), 4.0)
    depth[70:] = 2.0
    inverse = 1 / depth
    inverse[30, 10] = np.nan
    assert 1 / study_inverse(inverse, PLACE, Box(30, 31, 10, 11))[0, 0] == pytest.approx((1 - PULL) * 4 + PULL * 2)
