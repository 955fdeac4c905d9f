"""Brings depth of any kind to the inverse depth of a scene, so that a figure compares like with like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...bench.accuracy.alignment import fit_alignment
from ...engine.terms import MEANINGS, Alignment, Kind

Map = NDArray[np.float64]
Mask = NDArray[np.bool_]
_NEAREST = 2.0  # times the largest true inverse depth: answers are clipped there


def align_inverse(values: NDArray[np.floating], kind: Kind, true_inverse: Map, known: Mask) -> Map:
    """Return an answer as inverse depth, (H, W) float64, aligned with the truth over all known pixels.

    Inverse depth is fitted by scale and shift, affine depth by scale and shift as depth, metric and scale-invariant
    depth by scale. Metric depth is scaled too, because a rendered scene does not tell its focal length. If the best
    scale is not positive, near is taken for far, and the answer is the best constant. The result is clipped to
    [0, 2 max(true inverse depth)]; a missing answer is the nearest.

    Args:
        values: (H, W), the answer.
        kind: Of the answer.
        true_inverse: (H, W), 1/m.
        known: (H, W), pixels with depth; the sky has none.
    """
    inverse = MEANINGS[kind].larger_is_nearer
    answer = values.astype(np.float64)
    target = true_inverse[known] if inverse else 1 / true_inverse[known]
    scale, shift = fit_alignment(answer[known], target, _alignment(kind))
    if not scale > 0:
        scale, shift = 0.0, float(target.mean() if inverse else 1 / true_inverse[known].mean())
    with np.errstate(invalid="ignore"):
        aligned = answer * scale + shift
    highest = _NEAREST * float(true_inverse[known].max())
    if not inverse:
        aligned = 1 / np.fmax(aligned, 1 / highest)
    return np.clip(np.nan_to_num(aligned, nan=highest), 0, highest)


def _alignment(kind: Kind) -> Alignment:
    return "scale" if MEANINGS[kind].shift_known else "scale-and-shift"
