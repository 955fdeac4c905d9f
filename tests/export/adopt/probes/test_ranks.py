"""Rank correlation is that of scipy's definition, ties included, and 0 for what is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from depthrt.export.adopt.probes.ranks import rank_correlation


def test_an_order_is_the_same_in_any_unit_and_turned_around_by_a_minus() -> None:
    depth = np.random.default_rng(0).uniform(1, 9, (20, 30))
    assert rank_correlation(depth**3, depth) == pytest.approx(1)
    assert rank_correlation(1 / depth, depth) == pytest.approx(-1)


def test_equal_values_share_the_mean_of_their_ranks() -> None:
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])) == pytest.approx(0.9487, abs=1e-4)


def test_what_is_the_same_everywhere_orders_nothing() -> None:
    ramp = np.arange(12.0).reshape(3, 4)
    assert rank_correlation(np.full((3, 4), 7.0), ramp) == 0
