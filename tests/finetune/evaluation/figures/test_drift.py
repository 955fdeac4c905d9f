"""Drift against the starting network: nothing inside masks counts, scale and shift only where they are known."""

from __future__ import annotations

import numpy as np
import pytest
from judged_rooms import MIRROR, room_inverse, room_view

from depthrt.finetune.evaluation.figures.drift import drift_outside, start_of

ROUNDING = 1e-6


def test_a_network_that_changed_only_inside_a_mirror_has_not_drifted() -> None:
    view = room_view()
    changed = room_inverse()
    changed[MIRROR] = 0.9
    start = start_of(room_inverse(), "inverse", view)
    assert drift_outside(changed, "inverse", start, view) < ROUNDING
    metres = start_of(1 / room_inverse(), "metric", view)
    assert metres.as_answered and drift_outside(1 / changed, "metric", metres, view) < ROUNDING


def test_unknown_scale_and_shift_are_no_drift_and_metres_are() -> None:
    view = room_view()
    start = start_of(5 * room_inverse() + 1, "inverse", view)
    assert drift_outside(2 * room_inverse() - 0.3, "inverse", start, view) < ROUNDING
    metres = start_of(1 / room_inverse(), "metric", view)
    assert drift_outside(1.1 / room_inverse(), "metric", metres, view) == pytest.approx(0.1, rel=1e-3)
    assert drift_outside(1.1 / room_inverse(), "scale", metres, view) < ROUNDING


def test_drift_is_in_shares_of_depth() -> None:
    view = room_view()
    moved = 1 / room_inverse()
    moved[~view.sample.regions.astype(bool)] *= 1.02  # type: ignore[union-attr]
    share = view.inside("clean").sum() / view.clean.sum()
    start = start_of(1 / room_inverse(), "metric", view)
    assert drift_outside(moved, "metric", start, view) == pytest.approx(0.02 * share, rel=1e-3)


def test_an_answer_beyond_infinity_drifts_to_the_farthest_depth() -> None:
    view = room_view()
    beyond = room_inverse()
    beyond[:10] = -3.0
    assert np.isfinite(drift_outside(beyond, "inverse", start_of(room_inverse(), "inverse", view), view))
