"""Edges of depth against loops from the published definition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drift_scenes import SIZE_PX, scene
from numpy.typing import NDArray

from depthrt.bench.drift.depth_edges import THRESHOLDS, edge_f1
from depthrt.engine.terms import Kind

EXACT = 1e-9


def boundary_f1(found: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """The F1 score from its definition, pixel by pixel, in the four directions, for one threshold after the other."""
    height, width = reference.shape
    scores: list[tuple[float, float]] = []
    for threshold in np.linspace(1.05, 1.25, 10):
        both = ours = theirs = 0
        for row in range(height):
            for column in range(width):
                for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                    y, x = row + down, column + right
                    if not (0 <= y < height and 0 <= x < width):
                        continue
                    a = found[row, column] / found[y, x] > threshold
                    b = reference[row, column] / reference[y, x] > threshold
                    both, ours, theirs = both + int(a and b), ours + int(a), theirs + int(b)
        precision, recall = both / max(ours, 1), both / theirs
        scores.append((float(threshold), 2 * precision * recall / (precision + recall) if both else 0.0))
    return sum(weight * score for weight, score in scores) / sum(weight for weight, _ in scores)


def test_edges_are_those_of_depth_pro_s_definition() -> None:
    random = np.random.default_rng(4)
    reference = random.uniform(1, 1.6, (12, 15)).astype(np.float32)
    answer = (reference * random.normal(1, 0.05, reference.shape)).astype(np.float32)
    found = edge_f1(answer, reference, kind="inverse")
    assert found == pytest.approx(boundary_f1(answer.astype(np.float64), reference.astype(np.float64)), rel=EXACT)
    assert found is not None
    assert 0.3 < found < 0.98
    metres = ((1 / answer).astype(np.float32), (1 / reference).astype(np.float32))
    for kind in ("metric", "scale"):
        assert edge_f1(*metres, kind=kind) == pytest.approx(found, rel=1e-2)  # float32 near limits


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, 0.25), (40.0, -7.0)])
def test_edges_of_affine_depth_are_those_of_nearness_from_its_far_end(scale: float, shift: float) -> None:
    random = np.random.default_rng(4)
    nearness = random.uniform(0.2, 1.0, (12, 15)).astype(np.float32)
    nearness[:4] = 0.0  # the far end, which more than 2 % of the pixels share
    answer = (nearness * random.normal(1, 0.05, nearness.shape)).astype(np.float32)
    maps = [(shift + scale * (1 - values)).astype(np.float32) for values in (answer, nearness)]
    found = edge_f1(*maps, kind="affine")
    assert found == pytest.approx(edge_f1(answer, nearness, kind="inverse"), rel=1e-2)  # float32 near limits
    assert found is not None and 0.3 < found < 0.98


def test_nothing_is_a_value_of_affine_depth_with_edges_of_its_own() -> None:
    reference = np.full((8, 10), 0.5, np.float32)
    reference[:, 5:] = 0.0  # nearest
    reference[:, :2] = 1.0
    lost = reference.copy()
    lost[:, 5:] = 0.5
    assert edge_f1(reference, reference, kind="affine") == 1
    assert (edge_f1(lost, reference, kind="affine") or 0) < 1


def test_a_blurred_edge_is_lost_and_a_moved_one_too() -> None:
    reference = np.ones(SIZE_PX, np.float32)
    reference[:, 48:] = 2
    moved = np.roll(reference, 1, axis=1)
    moved[:, 0] = 1
    blurred = np.asarray(cv2.blur(reference, (41, 1)), np.float32)
    assert edge_f1(reference * np.float32(3), reference, kind="inverse") == 1
    assert edge_f1(moved, reference, kind="inverse") == 0
    assert edge_f1(blurred, reference, kind="inverse") == 0


def test_noise_where_inverse_depth_is_almost_nothing_makes_no_edges() -> None:
    random = np.random.default_rng(5)
    reference, answer = scene(), scene()
    for one in (reference, answer):
        one[:16] = random.uniform(0, 0.01, (16, 96))
    assert edge_f1(answer, reference, kind="inverse") == 1


def step(ratio: float, size_px: tuple[int, int] = (8, 10)) -> NDArray[np.float32]:
    """Return inverse depth with one vertical edge in the middle, the right side nearer by a ratio."""
    values = np.ones(size_px, np.float32)
    values[:, size_px[1] // 2 :] = ratio
    return values


@pytest.mark.parametrize("number", range(len(THRESHOLDS)))
def test_an_edge_counts_at_each_threshold_below_its_ratio(number: int) -> None:
    answer = step(float(THRESHOLDS[number]) + 0.01)
    reference = step(2.0)  # an edge at every threshold
    expected = THRESHOLDS[: number + 1].sum() / THRESHOLDS.sum()
    assert edge_f1(answer, reference, kind="inverse") == pytest.approx(expected, rel=EXACT)


def test_an_edge_whose_near_side_is_the_other_one_does_not_match() -> None:
    assert edge_f1(step(0.5), step(2.0), kind="inverse") == 0


def test_edges_that_only_the_subject_has_lower_the_score() -> None:
    reference = step(2.0)
    answer = reference.copy()
    answer[4:] *= 3  # a horizontal edge as long as the image is wide
    matches, more = reference.shape[0], reference.shape[1]
    expected = 2 * matches / (matches + matches + more)
    assert edge_f1(answer, reference, kind="inverse") == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("reference", [np.ones((8, 10)), np.full((8, 10), np.nan), np.zeros((8, 10))])
def test_a_reference_without_edges_has_no_score(reference: NDArray[np.float64]) -> None:
    assert edge_f1(step(2.0), reference.astype(np.float32), kind="inverse") is None


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        ("inverse", np.nan),
        ("inverse", np.inf),
        ("inverse", -np.inf),
        ("metric", np.nan),
        ("metric", np.inf),
        ("metric", -np.inf),
    ],
)
def test_what_is_not_finite_has_no_edge(kind: Kind, lost: float) -> None:
    reference = step(2.0)
    answer = reference.copy()
    answer[0, 0] = lost
    assert edge_f1(answer, reference, kind=kind) == 1


def test_metric_depth_that_is_not_positive_has_no_edge() -> None:
    reference = step(2.0)
    answer = reference.copy()
    answer[0, :2] = 0, -1
    assert edge_f1(answer, reference, kind="metric") == 1


def test_depth_beyond_fifty_times_the_nearest_has_no_edges() -> None:
    far = np.full((20, 20), 2.0, np.float32)
    far[:4, ::2] = 2.0 / 200
    far[:4, 1::2] = 2.0 / 60
    flat = far.copy()
    flat[:4] = 2.0 / 50
    assert edge_f1(flat, far, kind="inverse") == 1
    nearer = far.copy()
    nearer[:4, ::2] = 2.0 / 40  # within fifty times, so it has edges
    score = edge_f1(nearer, far, kind="inverse")
    assert score is not None and score < 1
