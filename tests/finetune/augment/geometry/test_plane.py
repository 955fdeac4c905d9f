"""A plane's inverse depth, normal and parallels agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.finetune.augment.geometry.plane import Box, Plane, through

CAMERA = np.array([[90.0, 0, 63.5], [0, 90.0, 47.5], [0, 0, 1]])
PLANE = Plane(1e-4, -2e-4, 0.3)
ROUNDING = 1e-12  # of products of three float64


def test_inverse_depth_of_a_box_is_that_of_its_pixels() -> None:
    box = Box(3, 6, 10, 14)
    found = PLANE.inverse(box)
    assert found.shape == (box.height, box.width) == (3, 4)
    assert found[2, 1] == pytest.approx(PLANE.at(11, 5), rel=ROUNDING)
    assert np.arange(20)[box.slices[0]].tolist() == [3, 4, 5]


def test_points_of_a_plane_have_a_product_of_one_with_its_normal() -> None:
    ray = np.linalg.inv(CAMERA) @ (20.0, 30.0, 1.0)
    point = ray / PLANE.at(20, 30)
    assert PLANE.normal(CAMERA) @ point == pytest.approx(1, rel=ROUNDING)
    assert through(PLANE.normal(CAMERA), CAMERA).coefficients == pytest.approx(PLANE.coefficients, rel=1e-9)


def test_a_nearer_plane_is_parallel() -> None:
    nearer = PLANE.nearer(2)
    assert nearer.at(5, 7) == 2 * PLANE.at(5, 7)
    assert np.cross(nearer.normal(CAMERA), PLANE.normal(CAMERA)) == pytest.approx(np.zeros(3), abs=ROUNDING)
