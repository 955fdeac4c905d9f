"""Edges of depth, and the agreement of two maps on their places.

Source: Depth Pro (Bochkovskii et al. 2024), section 3.3 and src/depth_pro/eval/boundary_metrics.py. As there, an edge
lies between two neighbours whose inverse depths are in a ratio above a threshold, the nearer side matters, and the
F1 scores of ten thresholds are weighted by the threshold. Unlike there, the four directions are counted together, so
that a picture with edges in one direction only can reach 1. Depth without a zero has no inverse: what it is nearer than
the reference's far end stands for it, which is 0 at the far end as inverse depth is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...engine.terms import MEANINGS, Kind

THRESHOLDS = np.linspace(1.05, 1.25, 10)
# Depth beyond fifty times the nearest counts as fifty times: ratios of values near 0 would turn noise into edges.
FAR_SHARE = 0.02
_NEAR_PERCENTILE = 98.0  # of the reference, so that an outlier does not set what is near
_FAR_PERCENTILE = 98.0  # of the reference's depth, the same for what is far

Float64 = NDArray[np.float64]
Edges = NDArray[np.bool_]


def edge_f1(found: NDArray[np.float32], reference: NDArray[np.float32], *, kind: Kind) -> float | None:
    """Return the F1 score of found's edges, 1 if all agree; None if the reference has no edges.

    Args:
        found, reference: (H, W) of one kind; a value that is not finite has no edge.
        kind: Of both.
    """
    ours, theirs = _nearness(found, reference, kind), _nearness(reference, reference, kind)
    near = theirs[np.isfinite(theirs)]
    floor = FAR_SHARE * float(np.percentile(near, _NEAR_PERCENTILE)) if near.size else 0.0
    if floor <= 0:
        return None
    our_steps, their_steps = _steps(ours, floor), _steps(theirs, floor)
    scores, weights = [], []
    for threshold in THRESHOLDS:
        their_edges = _edges(their_steps, threshold)
        if their_edges.any():
            scores.append(_score(_edges(our_steps, threshold), their_edges))
            weights.append(threshold)
    return float(np.average(scores, weights=weights)) if scores else None


def _score(our_edges: Edges, their_edges: Edges) -> float:
    """Return 2 PR / (P + R): twice the matches over the edges of both."""
    matches = np.count_nonzero(our_edges & their_edges)
    return 2 * float(matches) / float(np.count_nonzero(our_edges) + np.count_nonzero(their_edges))


def _edges(steps: Float64, threshold: float) -> Edges:
    """Return (2, N) bool: whether the pixel itself is the nearer side, and whether its neighbour is."""
    return np.stack([steps > threshold, steps < 1 / threshold])


def _nearness(values: NDArray[np.float32], reference: NDArray[np.float32], kind: Kind) -> Float64:
    """Return values that are larger where they are nearer, and 0 where they are far; NaN for no depth."""
    exact = values.astype(np.float64)
    if MEANINGS[kind].larger_is_nearer:
        return exact
    if MEANINGS[kind].positive:
        known = (values > 0) & np.isfinite(values)  # the inverse of infinity would be finite
        inverse: Float64 = 1 / np.where(known, exact, np.nan)
        return inverse
    finite = reference[np.isfinite(reference)].astype(np.float64)
    farthest = float(np.percentile(finite, _FAR_PERCENTILE)) if finite.size else 0.0
    return farthest - exact


def _steps(nearness: Float64, floor: float) -> Float64:
    """Return (N,) ratios of each pixel to its left and its upper neighbour; 1 if either is not finite."""
    known = np.maximum(np.where(np.isfinite(nearness), nearness, np.nan), floor)  # NaN stays
    ratios = np.concatenate([(known[:, 1:] / known[:, :-1]).ravel(), (known[1:] / known[:-1]).ravel()])
    return np.where(np.isnan(ratios), 1.0, ratios)
