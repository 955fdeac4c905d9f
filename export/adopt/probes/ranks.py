"""How far two maps order their pixels alike, whatever their units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rank_correlation(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return Spearman's rank correlation of two finite arrays of a shape; 0 if one of them is the same everywhere."""
    one, other = _ranks(found), _ranks(expected)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rank of each value; equal values share the mean of their ranks."""
    _, place, count = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    shared: NDArray[np.float64] = (np.cumsum(count) - (count - 1) / 2)[place]
    return shared
