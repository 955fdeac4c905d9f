"""Random weights for a Depth Anything 3 network whose outputs look like depth and sky; for tests and speed figures."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import DepthAnything3

# Tuned on photographs until the outputs of tiny and full networks looked like depth: varied, finite, a few metres, with
# sky in a part of them.
EMBEDDING_STD = 0.2
SPREAD_STD = 0.1
BIAS_STD = 0.02
DEPTH_LEVEL, DEPTH_STD = 1.0, 0.4  # of the depth's logarithm
SKY_LEVEL, SKY_STD = -0.5, 1.0  # of the sky's value before it loses its negative part

_PROBES, _PROBE_CELLS = 4, 6  # images with which the last layers are settled, and their sides in patches


def randomise(network: DepthAnything3, seed: int) -> None:
    """Fill a network with random weights.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(_random_values(name, torch.randn(parameter.shape, generator=generator)))
        _settle(network, generator)


def _random_values(name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if name.endswith("gamma") or ("norm" in name and name.endswith("weight")):
        return 1 + noise * SPREAD_STD
    if name.endswith(("_token", "pos_embed")):
        return noise * EMBEDDING_STD
    if name.endswith("bias"):
        return noise * BIAS_STD
    transposed = name.startswith(("head.resize_layers.0", "head.resize_layers.1"))  # (in, out, k, k)
    fan_in = noise.shape[0] if transposed else noise[0].numel()
    gain = 2.0 if "resConfUnit" in name or "output_conv2.2" in name else 1.0  # a ReLU before it halves the power
    return noise * math.sqrt(gain / fan_in)


def _settle(network: DepthAnything3, generator: torch.Generator) -> None:
    """Give the last layers a useful level and spread on a few random images."""
    side = _PROBE_CELLS * network.architecture.patch_px
    levels = torch.randn(_PROBES, 3, _PROBE_CELLS, _PROBE_CELLS, generator=generator)
    batch = F.interpolate(levels, size=(side, side), mode="bilinear", align_corners=True)
    scratch = network.head.scratch
    settled = [scratch.output_conv2[2].register_forward_hook(_settle_depth)]
    if network.has_sky:
        settled.append(scratch.sky_output_conv2[2].register_forward_hook(_settle_sky))
        network.with_sky(batch)
    else:
        network(batch)
    for hook in settled:
        hook.remove()


def _settle_depth(layer: nn.Module, _: object, output: Tensor) -> None:
    """Set the level and spread of the depth's logarithm; a hook of its last layer."""
    _set_level(layer, output, DEPTH_LEVEL, DEPTH_STD)


def _settle_sky(layer: nn.Module, _: object, output: Tensor) -> None:
    """Set the level and spread of the sky's value; a hook of its last layer."""
    _set_level(layer, output, SKY_LEVEL, SKY_STD)


def _set_level(layer: nn.Module, output: Tensor, mean: float, std: float) -> None:
    """Give each channel of the layer's output a mean and a standard deviation."""
    weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
    found = output.transpose(0, 1).flatten(1)
    gain = std / found.std(dim=1)
    weight.mul_(gain[:, None, None, None])
    bias.copy_((bias - found.mean(dim=1)) * gain + mean)
