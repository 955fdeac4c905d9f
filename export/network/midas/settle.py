"""The last layer of a network with random weights gets a level and a spread that make depth of its output."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

INVERSE_LEVEL = 3.0  # usual mean of the settled inverse depth; its standard deviation is 1
_BLOB_PX = 16  # size of the blobs in the picture


def settle(
    last: nn.Module,
    values: Callable[[Tensor], Tensor],
    size_px: tuple[int, int],
    seed: int,
    *,
    level: float = INVERSE_LEVEL,
) -> None:
    """Scale and shift a network's last convolution by its answer to a picture of blobs.

    Args:
        last: The convolution, changed in place.
        values: Returns the network's answer to a batch before the last ReLU.
        size_px: (h, w) of the picture.
        seed: Of the picture.
        level: Mean of the settled answer.
    """
    generator = torch.Generator().manual_seed(seed)
    blobs = torch.randn(1, 3, size_px[0] // _BLOB_PX, size_px[1] // _BLOB_PX, generator=generator)
    with torch.no_grad():
        answer = values(F.interpolate(blobs, size=size_px, mode="bilinear"))
        spread = answer.std().clamp_min(1e-6)
        weight, bias = last.get_parameter("weight"), last.get_parameter("bias")
        weight.div_(spread)
        bias.sub_(answer.mean()).div_(spread).add_(level)
