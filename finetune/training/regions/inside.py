"""The loss inside flat regions, where true depth counts while the starting network is the teacher elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from .gauge import Gauge

_TINY = 1e-6


def inside_loss(answer: Tensor, truth: Tensor, judged: Tensor, gauge: Gauge | None) -> Tensor:
    """Return the mean difference from true depth inside flat regions, as a share of depth.

    Inverse depth has no scale and no shift of its own: the gauge of the starting network brings it to the truth, so
    that what is learnt inside agrees with what is kept outside.

    Args:
        answer: (N, h, w), metres, or inverse depth of any sign.
        truth: (N, h, w), metres, or inverse depth in 1/m, 0 for the sky.
        judged: (N, h, w) bool, flat regions with a truth.
        gauge: Of the starting network; None for metres, whose logarithms are compared.

    Returns:
        () float32; 0 with a gradient of 0 if there is no pixel.
    """
    judged = judged & (truth > 0)
    if gauge is None:
        difference = answer.clamp(min=_TINY).log() - truth.clamp(min=_TINY).log()
    else:
        judged = judged & gauge.fits  # an answer that is far where the truth is near teaches nothing
        difference = (gauge.scale * answer + gauge.shift - truth) / gauge.level
    if not bool(judged.any()):
        return (answer * 0).sum()
    return _bounded(difference.abs()[judged]).mean()


def _bounded(difference: Tensor) -> Tensor:
    """Return differences that grow with the logarithm beyond 1.

    What hangs in the air can be at any distance: no image tells it, so its error must not outweigh all else.
    """
    return torch.where(difference > 1, 1 + difference.clamp(min=1).log(), difference)
