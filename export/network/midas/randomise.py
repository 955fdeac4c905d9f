"""Random weights for a network of MiDaS whose outputs look like depth; for tests and speed figures."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .network import Midas
from .residual_stages import Bottleneck
from .settle import settle

EMBEDDING_STD = 0.2
TABLE_STD = 0.5
SPREAD_STD = 0.1
BIAS_STD = 0.02
BRANCH_GAIN = 0.3  # of the norm that ends a residual branch; at 1, sums of 16 branches amplify rounding tenfold
INVERSE_LEVEL = 6.0  # so that photographs, which vary more than that picture, seldom give 0
CONTRAST = 2.0  # of the picture that settles the last layer; photographs vary as much
_SETTLED_AT_PX = (96, 128)

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
        for module in network.modules():
            if isinstance(module, Bottleneck):
                module.norm3.weight.mul_(BRANCH_GAIN)
    last = network.scratch.output_conv[4]
    with torch.no_grad():
        weight = last.get_parameter("weight")
        weight.sub_(weight.mean())  # so that the common level of its inputs cancels
    settle(last, lambda batch: network.values(batch * CONTRAST), _SETTLED_AT_PX, seed, level=INVERSE_LEVEL)


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
