"""Random weights for a network of MiDaS whose outputs look like depth; for tests and speed figures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import CELL_PX
from .network import Midas

EMBEDDING_STD = 0.2
TABLE_STD = 0.5
SPREAD_STD = 0.1
BIAS_STD = 0.02
# Of the outputs for a picture of soft blotches: positive nearly everywhere, varied.
INVERSE_LEVEL = 5.0
INVERSE_STD = 0.8
PICTURE_CELLS = (3, 4)
BLOTCH_PX = 16
CONTRAST = 2.0

_NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)


def randomise(network: Midas, seed: int) -> None:
    """Fill a network with random weights.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            for name, parameter in module.named_parameters(recurse=False):
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(_random_values(module, name, noise))
        _settle_readout(network, generator)


def _settle_readout(network: Midas, generator: torch.Generator) -> None:
    """Give the outputs for a picture of soft blotches a useful level and spread."""
    rows, columns = (count * CELL_PX // BLOTCH_PX for count in PICTURE_CELLS)
    blotches = torch.randn(1, 3, rows, columns, generator=generator) * CONTRAST
    picture = F.interpolate(blotches, scale_factor=BLOTCH_PX, mode="bilinear", align_corners=False)
    last = network.scratch.output_conv[4]
    weight, bias = last.get_parameter("weight"), last.get_parameter("bias")
    weight.sub_(weight.mean())  # so that the common level of its inputs cancels
    values = network.values(picture)
    scale = INVERSE_STD / values.std()
    weight.mul_(scale)
    bias.copy_((bias - values.mean()) * scale + INVERSE_LEVEL)


def _random_values(module: nn.Module, name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if name.startswith("gamma") or (isinstance(module, _NORMS) and name == "weight"):
        return 1 + noise * SPREAD_STD
    if name.endswith("bias"):
        return noise * BIAS_STD
    if name in ("cls_token", "pos_embed"):
        return noise * EMBEDDING_STD
    if name == "relative_position_bias_table":
        return noise * TABLE_STD
    fan_in = noise.shape[0] if isinstance(module, nn.ConvTranspose2d) else noise[0].numel()
    gain = 2.0 if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) else 1.0
    return noise * math.sqrt(gain / fan_in)
