from __future__ import annotations

import numpy as np
import pytest

from depthrt.engine.images.resize.taps import bilinear_taps, corner_taps, cubic_taps, mirrored, triangle_taps

SIDES = [(1, 1), (1, 7), (7, 1), (2, 3), (640, 518), (37, 480), (4000, 768), (9999, 14)]
SUM_TOLERANCE = 1e-6  # of float32 weights


@pytest.mark.parametrize(("source", "target"), SIDES)
def test_every_tap_lies_in_the_source_and_the_weights_of_an_output_add_up_to_one(source: int, target: int) -> None:
    for indices, weights in (
        cubic_taps(source, target, rounded=True),
        cubic_taps(source, target, rounded=False),
        triangle_taps(source, target),
    ):
        assert indices.shape == weights.shape and len(indices) == target
        assert indices.min() >= 0 and indices.max() < source
        assert np.abs(weights.sum(axis=1) - 1).max() <= SUM_TOLERANCE
    for first, second, weight in (
        corner_taps(source, target),
        bilinear_taps(source, target, "bilinear_corners"),
        bilinear_taps(source, target, "bilinear_centres"),
    ):
        assert len(first) == len(second) == len(weight) == target
        assert first.min() >= 0 and second.max() < source and (second >= first).all()
        assert weight.min() >= 0 and weight.max() <= 1


@pytest.mark.parametrize(("source", "target"), SIDES)
def test_the_taps_of_an_antialiased_output_follow_one_another(source: int, target: int) -> None:
    indices, _ = triangle_taps(source, target)
    steps = np.diff(indices, axis=1)
    assert ((steps == 1) | (indices[:, 1:] == source - 1)).all()
    assert (np.diff(indices[:, 0]) >= 0).all()


@pytest.mark.parametrize("side", [1, 2, 3, 8])
def test_a_mirrored_row_continues_as_often_as_it_must(side: int) -> None:
    places = np.arange(-3 * side - 2, 4 * side + 2)
    expected = np.pad(np.arange(side), (3 * side + 2, 3 * side + 2), mode="reflect")
    assert np.array_equal(mirrored(places, side), expected)
