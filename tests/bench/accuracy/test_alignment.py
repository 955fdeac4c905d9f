"""The scale and shift of each alignment."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from accuracy_maps import maps

from depthrt.bench.accuracy.alignment import fit_alignment
from depthrt.engine.terms import ALIGNMENTS, Alignment

EXACT = 1e-9  # two ways to add up a few hundred float64 numbers


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_alignments_find_the_best_scale_and_shift(alignment: Alignment) -> None:
    depth, truth, valid = maps(1)
    x, y = depth[valid], truth[valid]
    expected = {
        "none": (1.0, 0.0),
        "scale": (float(np.percentile(y, 50) / np.percentile(x, 50)), 0.0),
        "scale-and-shift": tuple(np.polyfit(x, y, 1)),
        "log": (float(np.exp(scipy.optimize.minimize_scalar(lambda s: np.sum((np.log(x) + s - np.log(y)) ** 2)).x)), 0),
    }
    # The search for the logarithm's scale stops at the root of the float64 precision.
    assert fit_alignment(x, y, alignment) == pytest.approx(
        expected[alignment], rel=1e-7 if alignment == "log" else EXACT
    )


def test_least_squares_keep_their_digits_far_from_zero() -> None:
    x = 1e6 + np.arange(20.0)
    assert fit_alignment(x, 3 * (x - 1e6) + 2, "scale-and-shift") == pytest.approx((3, 2 - 3e6), rel=EXACT)


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3])
def test_a_constant_prediction_is_aligned_to_the_mean(constant: float) -> None:
    scale, shift = fit_alignment(np.full(31, constant), np.arange(1.0, 32.0), "scale-and-shift")
    assert (scale, shift) == (0.0, 16.0)


@pytest.mark.parametrize("alignment", ["scale", "log"])
def test_what_no_scale_can_help_stays_as_it_is(alignment: Alignment) -> None:
    assert fit_alignment(np.array([0.0, -1.0]), np.array([1.0, 2.0]), alignment) == (1.0, 0.0)


@pytest.mark.parametrize("alignment", ["scale", "scale-and-shift", "log"])
def test_lost_values_have_no_say_in_the_alignment(alignment: Alignment) -> None:
    depth, truth, valid = maps(2)
    x, y = depth[valid], truth[valid]
    lost = np.append(x, [np.nan, np.inf])
    assert fit_alignment(lost, np.append(y, [1.0, 1.0]), alignment) == fit_alignment(x, y, alignment)
