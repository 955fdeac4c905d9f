"""Alignment: the true depth comes back from every kind, and a useless answer becomes the best constant."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from depthrt.engine.terms import Kind
from depthrt.finetune.probes.align import align_inverse

EXACT = 1e-6  # a least squares of float64 values that were float32
TRUE = 1 / np.linspace(1.0, 9.0, 12 * 16).reshape(12, 16)
KNOWN = np.ones(TRUE.shape, np.bool_)
KNOWN[:3] = False


def answer(kind: Kind) -> NDArray[np.float32]:
    """Return the true depth as an answer of a kind, with what is unknown of the kind changed."""
    values = {"inverse": 40 * TRUE + 7, "metric": 1.3 / TRUE, "affine": 0.02 / TRUE - 5, "scale": 300 / TRUE}
    return values[kind].astype(np.float32)


@pytest.mark.parametrize("kind", ["inverse", "metric", "affine", "scale"])
def test_the_true_depth_of_each_kind_comes_back(kind: Kind) -> None:
    found = align_inverse(answer(kind), kind, TRUE, KNOWN)
    assert np.allclose(found[KNOWN], TRUE[KNOWN], atol=1e-5)


@pytest.mark.parametrize("kind", ["inverse", "affine"])
def test_an_answer_that_takes_near_for_far_becomes_a_constant(kind: Kind) -> None:
    found = align_inverse(-answer(kind), kind, TRUE, KNOWN)
    assert np.ptp(found) < EXACT and found.mean() == pytest.approx(TRUE[KNOWN].mean(), abs=EXACT)


@pytest.mark.parametrize("kind", ["inverse", "metric", "affine", "scale"])
def test_a_missing_answer_is_the_nearest(kind: Kind) -> None:
    values = answer(kind)
    values[5, 5] = np.nan
    found = align_inverse(values, kind, TRUE, KNOWN)
    assert found[5, 5] == found.max() == pytest.approx(2 * TRUE[KNOWN].max())
    assert found[6, 6] == pytest.approx(TRUE[6, 6], rel=1e-3)


def test_infinite_depth_is_infinitely_far() -> None:
    values = answer("metric")
    values[0, 0] = np.inf
    assert align_inverse(values, "metric", TRUE, KNOWN)[0, 0] == 0
