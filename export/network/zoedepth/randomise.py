"""Random weights for a ZoeDepth network whose outputs look like depth; for tests and speed figures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..depth_anything import DepthAnything
from ..depth_anything import randomise as randomise_depth_anything
from ..midas.randomise import randomise as randomise_midas
from .bins import SeedBins
from .log_binomial import LogBinomial
from .zoedepth import ZoeDepth

# Tuned on photographs until the outputs of tiny and full networks looked like depth: varied, finite, metres, and no
# more sensitive to float32's rounding than the relative network.
SPREAD_STD = 0.1
BIAS_STD = 0.02
NEAREST_M, FARTHEST_M = 0.5, 10.0  # of the first bins, where they have no upper end
SEED_STD = 0.5  # of the first bins around those
SHARE_STD = (1.5, 1.5, 0.5, 0.5)  # of the two values of a probability and the two of a temperature

_PROBES, _PROBE_CELLS = 8, 3  # images with which layers are settled, and their sides


def randomise(network: ZoeDepth, seed: int) -> None:
    """Fill a network with random weights.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    core = network.core.core
    if isinstance(core, DepthAnything):
        randomise_depth_anything(core, seed)
    else:
        randomise_midas(core, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for name, module in network.named_modules():
            if name and not name.startswith("core"):
                for part, parameter in module.named_parameters(recurse=False):
                    noise = torch.randn(parameter.shape, generator=generator)
                    parameter.copy_(_random_values(module, part, noise))
        _settle(network, generator)


def _random_values(module: nn.Module, name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if isinstance(module, nn.LayerNorm) and name == "weight":
        return 1 + noise * SPREAD_STD
    if noise.ndim == 1:
        return noise * BIAS_STD
    return noise * math.sqrt(1 / noise[0].numel())


def _settle(network: ZoeDepth, generator: torch.Generator) -> None:
    """Give the last layers a useful level and spread on a few random images, and the router a useful threshold."""
    side = _PROBE_CELLS * network.architecture.patch_px
    levels = torch.randn(_PROBES, 3, _PROBE_CELLS, _PROBE_CELLS, generator=generator)
    maps = network.relative_maps(F.interpolate(levels, size=(side, side), mode="bilinear", align_corners=True))
    settled = []
    for module in network.modules():
        if isinstance(module, SeedBins):
            settle = _settle_widths if module.normed else _settle_metres
            settled.append(module.last.register_forward_hook(settle))
        if isinstance(module, LogBinomial):
            settled.append(module.mlp[2].register_forward_hook(_settle_shares))
    network.metres(*maps)
    for hook in settled:
        hook.remove()
    if network.architecture.routed:
        indoor, outdoor = network.route(network.conv2(maps[2][0])).unbind(1)
        lead = (outdoor - indoor).sort().values
        network.mlp_classifier[2].get_parameter("bias")[1] -= lead[_PROBES // 2 - 1 :][:2].mean()


def _settle_widths(layer: nn.Module, _: object, output: Tensor) -> None:
    """Give the first bins widths around one; a hook of their last layer."""
    bins = output.shape[1]
    _set_level(layer, output, torch.ones(bins), torch.full((bins,), SEED_STD))


def _settle_metres(layer: nn.Module, _: object, output: Tensor) -> None:
    """Spread the first bins over a range; a hook of their last layer."""
    bins = output.shape[1]
    levels = torch.log(torch.expm1(torch.linspace(NEAREST_M, FARTHEST_M, bins)))  # undoes the softplus
    _set_level(layer, output, levels, torch.full((bins,), SEED_STD))


def _settle_shares(layer: nn.Module, _: object, output: Tensor) -> None:
    """Give both shares of a pixel a useful spread; a hook of their last layer."""
    _set_level(layer, output, torch.zeros(len(SHARE_STD)), torch.tensor(SHARE_STD))


def _set_level(layer: nn.Module, output: Tensor, mean: Tensor, std: Tensor) -> None:
    """Give each channel of the layer's output a mean and a standard deviation."""
    weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
    found = output.transpose(0, 1).flatten(1)
    gain = std / found.std(dim=1)
    weight.mul_(gain[:, None, None, None])
    bias.copy_((bias - found.mean(dim=1)) * gain + mean)
