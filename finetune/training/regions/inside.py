"""The loss inside flat regions, where true depth counts while the starting network is the teacher elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from .gauge import Gauge


def inside_loss(answer: Tensor, truth: Tensor, judged: Tensor, gauge: Gauge) -> Tensor:
    """Return the mean difference from true depth inside flat regions, as a share of depth.

    Inverse depth has no scale and no shift of its own: the gauge of the starting network brings it to the truth, so
    that what is learnt inside agrees with what is kept outside.

    Args:
        answer: (N, h, w), metres, or inverse depth of any sign.
        truth: (N, h, w), metres, or inverse depth in 1/m, 0 for the sky.
        judged: (N, h, w) bool, flat regions with a truth.
        gauge: Of metres, or of the starting network's inverse depth.

    Returns:
        () float32; 0 with a gradient of 0 if there is no pixel.
    """
    judged = judged & (truth > 0) & gauge.fits  # an answer that is far where the truth is near teaches nothing
    if not bool(judged.any()):
        return (answer * 0).sum()
    return _bounded(gauge.off(answer, truth).abs()[judged]).mean()


def _bounded(difference: Tensor) -> Tensor:
    """Return differences that grow with the logarithm beyond 1.

    What hangs in the air can be at any distance: no image tells it, so its error must not outweigh all else.
    """
    return torch.where(difference > 1, 1 + difference.clamp(min=1).log(), difference)
