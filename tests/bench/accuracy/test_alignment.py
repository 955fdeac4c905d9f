"""The scale and shift of each alignment."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from accuracy_maps import maps

from depthrt.bench.accuracy.alignment import (
    NEAREST_M,
    align,
    as_depth,
    as_inverse,
    fit_alignment,
    usual_alignment,
)
from depthrt.engine.errors import InputError
from depthrt.engine.terms import ALIGNMENTS, Alignment, Kind

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


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_without_a_usable_value_nothing_is_changed(alignment: Alignment) -> None:
    assert fit_alignment(np.array([np.nan, np.inf]), np.array([1.0, 2.0]), alignment) == (1.0, 0.0)
    assert fit_alignment(np.array([]), np.array([]), alignment) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("alignment", "scale", "shift"), [("scale", 2.5, 0.0), ("log", 0.2, 0.0), ("scale-and-shift", -4.0, 7.0)]
)
def test_an_exact_relation_is_found(alignment: Alignment, scale: float, shift: float) -> None:
    _, target, valid = maps(3)
    predicted = (target[valid] - shift) / scale
    assert fit_alignment(predicted, target[valid], alignment) == pytest.approx((scale, shift), rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("alignment", ["scale", "log"])
def test_a_scale_follows_the_units_of_the_target(alignment: Alignment) -> None:
    depth, target, valid = maps(4)
    metres, millimetres = (fit_alignment(depth[valid], unit * target[valid], alignment)[0] for unit in (1, 1000))
    assert millimetres == pytest.approx(1000 * metres, rel=EXACT)


def test_the_ratio_of_medians_withstands_an_outlier() -> None:
    predicted = np.array([1.0, 2.0, 3.0, 4.0, 1e9])
    assert fit_alignment(predicted, np.array([2.0, 4.0, 6.0, 8.0, 10.0]), "scale") == (2.0, 0.0)


def test_values_that_are_not_positive_have_no_logarithm_and_are_left_out() -> None:
    predicted, target = np.array([0.0, -5.0, 1.0, 4.0]), np.array([9.0, 9.0, 2.0, 8.0])
    assert fit_alignment(predicted, target, "log") == pytest.approx((2.0, 0.0), rel=EXACT)


def test_an_unknown_alignment_is_refused() -> None:
    with pytest.raises(InputError, match="alignment 'affine' found, expected one of none, scale, scale-and-shift, log"):
        fit_alignment(np.ones(2), np.ones(2), "affine")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("metric", "metric", "none"),
        ("metric", "scale", "scale"),
        ("scale", "metric", "scale"),
        ("inverse", "metric", "scale-and-shift"),
        ("inverse", "scale", "scale-and-shift"),
        ("affine", "metric", "scale-and-shift"),
    ],
)
def test_what_is_unknown_of_a_kind_is_aligned(kind: Kind, target: Kind, expected: Alignment) -> None:
    assert usual_alignment(kind, target) == expected


def test_values_are_aligned_by_the_fitted_ones_alone() -> None:
    depth_m = np.linspace(1, 5, 40).reshape(5, 8)
    answer = 3 / depth_m + 0.7
    fitted = np.ones(depth_m.shape, np.bool_)
    answer[0], fitted[0] = 99.0, False
    answer[1, 1], fitted[1, 1] = np.nan, False
    found = align(answer, depth_m, "inverse", "scale-and-shift", fitted)
    assert found[fitted] == pytest.approx(1 / depth_m[fitted], rel=EXACT)
    assert np.isnan(found[1, 1]) and found[0, 0] > 30


@pytest.mark.parametrize("kind", ["inverse", "metric"])
def test_what_is_missing_is_nearest_and_what_is_far_ends_at_the_farthest(kind: Kind) -> None:
    depth_m = np.array([np.nan, 2.0, np.inf, 1e-9])
    given = 1 / depth_m if kind == "inverse" else depth_m
    assert as_depth(given, kind, 10.0) == pytest.approx([NEAREST_M, 2.0, 10.0, NEAREST_M])
    assert as_inverse(given, kind) == pytest.approx([1 / NEAREST_M, 0.5, 0.0, 1 / NEAREST_M])


def test_inverse_depth_beyond_infinity_stays() -> None:
    assert as_inverse(np.array([-0.2, -np.inf]), "inverse").tolist() == [-0.2, -1 / NEAREST_M]
