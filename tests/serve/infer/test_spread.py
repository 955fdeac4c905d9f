"""The spread of an answer is that of its valid values."""

from __future__ import annotations

import numpy as np
import pytest
from made_depth import make_depth

from depthrt.serve.infer.spread import PERCENTILES, spread_of


def test_it_is_of_the_valid_values_only() -> None:
    values = np.linspace(0, 100, 101, dtype=np.float32).repeat(4).reshape(4, 101, order="F")
    valid = values <= 50
    spread = spread_of("m", make_depth(np.where(valid, values, 1e6), kind="metric", valid=valid))
    assert spread.percentiles == pytest.approx([percentile / 2 for percentile in PERCENTILES], abs=0.5)
    assert spread.valid_share == pytest.approx(51 / 101) and spread.model == "m"


def test_depth_without_a_valid_pixel_has_no_percentiles() -> None:
    spread = spread_of("m", make_depth(np.ones((4, 4), np.float32), kind="metric", valid=np.zeros((4, 4), np.bool_)))
    assert (spread.valid_share, spread.percentiles) == (0.0, ())
