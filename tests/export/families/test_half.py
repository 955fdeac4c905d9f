"""A half precision whose measured drift is too large is refused with its figures and the way out."""

from __future__ import annotations

import pytest

from depthrt.engine.errors import InputError
from depthrt.engine.terms import Precision
from depthrt.export.families.half import HALF_PRECISIONS, MOST_DRIFT, HalfDrift, refuse_half
from depthrt.export.families.table import TABLE
from depthrt.export.parity.parity import TOLERANCE

MEASURED = (
    HalfDrift("a", "fp16", 100, 0.0, 0.0, not_finite=7),
    HalfDrift("a", "fp16-safe", 100, 1e-3, 4e-3),
    HalfDrift("b", "fp16", 100, 6e-3, 9e-3),
)


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (
            "a",
            "fp16 of a is not exported: 7 of 100 photographs gave values that are not finite; use --precision fp16-s",
        ),
        ("b", "mean drift 6.0e-03 of the range over 100 photographs, at most 9.0e-03; use --precision fp32"),
    ],
)
def test_a_precision_that_drifts_is_refused_with_its_figures(encoder: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        refuse_half(encoder, "fp16", MEASURED)
    assert message in str(caught.value)


def test_what_is_allowed_or_was_not_measured_passes() -> None:
    refuse_half("a", "fp16-safe", MEASURED)
    refuse_half("c", "fp16", MEASURED)
    refuse_half("a", "fp32", MEASURED)


@pytest.mark.parametrize("precision", HALF_PRECISIONS)
def test_a_family_can_refuse_what_was_not_measured(precision: Precision) -> None:
    message = f"^{precision} of c is not exported: its drift over photographs was not measured; use --precision fp32$"
    with pytest.raises(InputError, match=message):
        refuse_half("c", precision, MEASURED, only_measured=True)
    refuse_half("c", "fp32", MEASURED, only_measured=True)
    refuse_half("a", "fp16-safe", MEASURED, only_measured=True)


def test_the_bar_is_that_of_the_check_of_each_file() -> None:
    assert MOST_DRIFT == TOLERANCE["fp16"] == TOLERANCE["fp16-safe"]
    assert all(figures.most <= TOLERANCE[figures.precision] for rules in TABLE for figures in rules.half)
