"""Baselines answer the same for every image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depthrt.bench.subjects.baselines import baseline_subjects
from depthrt.bench.subjects.subject import open_subject

FLOAT32 = 1e-6


def answers(shape: tuple[int, int]) -> dict[str, NDArray[np.float32]]:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    return {one.name: open_subject(one).model.infer(image).values for one in baseline_subjects()}


@pytest.mark.parametrize("shape", [(30, 50), (61, 40)])
def test_a_baseline_is_a_constant_or_nearer_towards_the_bottom(shape: tuple[int, int]) -> None:
    found = answers(shape)
    assert list(found) == ["baseline: constant", "baseline: vertical gradient"]
    assert np.ptp(found["baseline: constant"]) == 0
    expected = np.linspace(0, 1, shape[0])[:, None]
    assert np.abs(found["baseline: vertical gradient"] - expected).max() < FLOAT32
