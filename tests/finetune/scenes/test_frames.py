"""Frames in plain Python numbers, against numpy and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from depthrt.finetune.scenes.frames import IDENTITY, Rotation, Vector, between, product, profile_of, turned

EXACT = 1e-12  # a few roundings of float64


def matrix(rotation: Rotation) -> NDArray[np.float64]:
    return np.array(rotation).reshape(3, 3)


def about_z(angle: float) -> Rotation:
    c, s = math.cos(angle), math.sin(angle)
    return (c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("end", [(1.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, -3.0), (0.3, -0.4, 1.2)])
def test_the_rotation_between_two_points_takes_z_to_their_direction(end: Vector) -> None:
    start = (0.5, 0.25, -0.125)
    middle, rotation, length = between(start, (start[0] + end[0], start[1] + end[1], start[2] + end[2]))
    assert length == pytest.approx(math.hypot(*end), abs=EXACT)
    assert middle == pytest.approx([s + e / 2 for s, e in zip(start, end, strict=True)], abs=EXACT)
    assert turned(rotation, (0.0, 0.0, length)) == pytest.approx(end, abs=EXACT)
    assert np.allclose(matrix(rotation) @ matrix(rotation).T, np.eye(3), atol=EXACT)
    assert np.linalg.det(matrix(rotation)) == pytest.approx(1.0, abs=EXACT)


def test_products_and_turned_vectors_are_those_of_matrices() -> None:
    _, a, _ = between((0.0, 0.0, 0.0), (0.3, 0.5, -0.2))
    b, vector = about_z(0.7), (1.0, -2.0, 0.5)
    assert np.allclose(matrix(product(a, b)), matrix(a) @ matrix(b), atol=EXACT)
    assert turned(a, vector) == pytest.approx(matrix(a) @ vector, abs=EXACT)
    assert product(IDENTITY, b) == b
    assert np.allclose(matrix(product(b, IDENTITY)), matrix(b))


@pytest.mark.parametrize(
    ("base", "top", "bulge"), [(0.5, 0.5, 0.0), (0.5, 0.2, 0.0), (0.3, 0.4, 0.3), (0.4, 0.4, -0.2)]
)
def test_a_profile_has_its_radii_at_base_middle_and_top(base: float, top: float, bulge: float) -> None:
    (q0, q1, q2), widest = profile_of(base, top, bulge)
    radii = [widest * math.sqrt(q0 + q1 * z + q2 * z * z) for z in (-1, 0, 1)]
    assert radii == pytest.approx([base, (base + top) / 2 * (1 + bulge), top], abs=EXACT)
    share = [q0 + q1 * z + q2 * z * z for z in np.linspace(-1, 1, 201)]
    assert max(share) == pytest.approx(1, abs=1e-4)  # the widest place lies between two of 201 heights
    assert max(share) < 1 + EXACT
