"""Random weights for a ZoeDepth network whose outputs look like depth; for tests and speed figures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..midas.randomise import randomise as randomise_core
from .bins import SeedBins
from .log_binomial import LogBinomial
from .zoedepth import ZoeDepth

# Tuned on a photograph until the outputs of tiny and full networks looked like depth: varied, finite, metres.
SPREAD_STD = 0.1
BIAS_STD = 0.02
SHARE_GAIN = 3.0  # so that the probability of a pixel's distribution comes near both ends
NEAREST_M, FARTHEST_M = 0.5, 10.0  # of the first bins, where they have no upper end

_PROBES, _PROBE_CELLS = 8, 3  # images with which the router is centred, and their sides


def randomise(network: ZoeDepth, seed: int) -> None:
    """Fill a network with random weights.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    randomise_core(network.core.core, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, module in network.named_modules():
            if name and not name.startswith("core"):
                for part, parameter in module.named_parameters(recurse=False):
                    noise = torch.randn(parameter.shape, generator=generator)
                    parameter.copy_(_random_values(module, part, noise))
        for module in network.modules():
            if isinstance(module, SeedBins) and not module.normed:
                _spread_bins(module)
            if isinstance(module, LogBinomial):
                last = module.mlp[2].get_parameter("weight")
                last.sub_(last.mean(dim=1, keepdim=True))  # so that the common level of its inputs cancels
                last[:2].mul_(SHARE_GAIN)  # of the probability
        if network.architecture.routed:
            _centre_router(network, generator)


def _random_values(module: nn.Module, name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if isinstance(module, nn.LayerNorm) and name == "weight":
        return 1 + noise * SPREAD_STD
    if noise.ndim == 1:
        return noise * BIAS_STD
    return noise * math.sqrt(1 / noise[0].numel())


def _spread_bins(seeds: SeedBins) -> None:
    """Give the first bins a range of depths."""
    bias = seeds.last.get_parameter("bias")
    bias.add_(torch.log(torch.expm1(torch.linspace(NEAREST_M, FARTHEST_M, len(bias)))))  # undoes the softplus


def _centre_router(network: ZoeDepth, generator: torch.Generator) -> None:
    """Move the router's threshold between the answers to a few random images, so that images take both routes."""
    side = _PROBE_CELLS * network.architecture.patch_px
    levels = torch.randn(_PROBES, 3, _PROBE_CELLS, _PROBE_CELLS, generator=generator)
    images = F.interpolate(levels, size=(side, side), mode="bilinear", align_corners=True)
    _, _, maps = network.relative_maps(images)
    indoor, outdoor = network.route(network.conv2(maps[0])).unbind(1)
    lead = (outdoor - indoor).sort().values
    network.mlp_classifier[2].get_parameter("bias")[1] -= lead[_PROBES // 2 - 1 :][:2].mean()
