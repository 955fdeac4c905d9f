"""Random weights for a network of MiDaS whose outputs look like depth; for tests and speed figures."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .network import Midas

# Tuned on a photograph until the outputs of tiny and full networks looked like depth: varied, positive nearly
# everywhere, with the range of a trained network's.
EMBEDDING_STD = 0.2
TABLE_STD = 0.5
SPREAD_STD = 0.1
BIAS_STD = 0.02
READOUT_GAIN = 0.25
INVERSE_LEVEL = 3.0

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
        _settle_readout(network)


def _settle_readout(network: Midas) -> None:
    """Give the last layer a useful level and spread."""
    last = network.scratch.output_conv[4]
    weight, bias = last.get_parameter("weight"), last.get_parameter("bias")
    weight.sub_(weight.mean()).mul_(READOUT_GAIN)  # so that the common level of its inputs cancels
    bias.fill_(INVERSE_LEVEL)


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
