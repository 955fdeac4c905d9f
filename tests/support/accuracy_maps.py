"""Maps of predicted and of true depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXACT = 1e-9  # two ways to add up a few hundred float64 numbers
FLOAT32 = 1e-5  # values pass through float32 once
CAP_M = 10.0

Mask = NDArray[np.bool_]
Map32 = NDArray[np.float32]
Map64 = NDArray[np.float64]


def maps(seed: int, size_px: tuple[int, int] = (24, 32)) -> tuple[Map64, Map64, Mask]:
    """Depth, truth and a mask with holes; some depth lies beyond CAP_M."""
    random = np.random.default_rng(seed)
    truth = np.exp(random.normal(0.8, 0.7, size_px))
    return truth * np.exp(random.normal(0.1, 0.3, size_px)), truth, random.random(size_px) < 0.7
