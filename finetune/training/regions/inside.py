"""The loss inside flat regions, where true depth counts while the starting network is the teacher elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from ..losses import best_fit
from .distillation import spread_of

_TINY = 1e-6


def inside_loss(
    answer: Tensor, started: Tensor, truth: Tensor, known: Tensor, inside: Tensor, outside: Tensor, *, metric: bool
) -> Tensor:
    """Return the mean difference from true depth inside flat regions.

    Inverse depth has no scale and no shift of its own: the truth is brought to the starting network's by the best fit
    outside the regions, so that both losses ask for one answer.

    Args:
        answer: (N, h, w), metres, or inverse depth of any sign.
        started: (N, h, w), the answer of the starting network.
        truth: (N, h, w), metres, or inverse depth in 1/m, 0 for the sky.
        known: (N, h, w) bool, where there is a truth.
        inside, outside: (N, h, w) bool, flat regions, and what is outside them and their border.
        metric: Metres: the difference of logarithms. Otherwise over the mean deviation of each starting answer.

    Returns:
        () float32; 0 with a gradient of 0 if there is no pixel.
    """
    judged = inside & known & (truth > 0)
    if metric:
        difference = answer.clamp(min=_TINY).log() - truth.clamp(min=_TINY).log()
    else:
        seen = outside & known & (truth > 0)
        scale, shift = best_fit(truth, started, seen)
        judged = judged & (scale > 0)  # an answer that is far where the truth is near teaches nothing
        difference = (answer - (truth * scale + shift)) / spread_of(started)
    if not bool(judged.any()):
        return (answer * 0).sum()
    return _bounded(difference.abs()[judged]).mean()


def _bounded(difference: Tensor) -> Tensor:
    """Return differences that grow with the logarithm beyond 1.

    What hangs in the air can be at any distance: no image tells it, so its error must not outweigh all else.
    """
    return torch.where(difference > 1, 1 + difference.clamp(min=1).log(), difference)
