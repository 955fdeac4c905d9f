"""Depth Anything V1 and V2: a batch of normalised images becomes inverse depth or depth in metres."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...engine.terms import Family
from .architecture import Architecture
from .encoder import Encoder
from .head import Head
from .network import Network

# For random weights, tuned on a photograph until the output of tiny and full networks looked like depth.
EMBEDDING_STD = 0.2
SPREAD_STD = 0.1
BIAS_STD = 0.02
READOUT_GAIN = 0.25  # inverse depths then spread by about 0.2 to 1 around INVERSE_LEVEL
INVERSE_LEVEL = 3.0


class DepthAnything(Network):
    """A DINOv2 encoder with a DPT head, exact to the published networks.

    Its state_dict has exactly the names and shapes of a published checkpoint, unused tensors included.

    Args:
        architecture: Sizes of the layers.
        family: Decides which blocks feed the head.
        max_depth_m: Upper end of a metric network's output; None for inverse depth.
    """

    architecture: Architecture
    trainable = True

    def __init__(self, architecture: Architecture, *, family: Family, max_depth_m: float | None = None) -> None:
        super().__init__()
        self.architecture = architecture
        self.family = family
        self.max_depth_m = max_depth_m
        self.pretrained = Encoder(architecture, architecture.taps(family))
        self.depth_head = Head(architecture)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of the patch's side.

        Returns:
            (N, h, w): inverse depth, zero or more, larger is nearer; or metres in (0, max_depth_m).

        Raises:
            InputError: A side is not a multiple of the patch's side, or not the baked one.
        """
        values = self.values(batch)
        if self.max_depth_m is None:
            return torch.relu(values)
        return torch.sigmoid(values) * self.max_depth_m

    def values(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), any sign: the output without the last activation."""
        grid = self.cells(batch)
        values: Tensor = self.depth_head(self.pretrained(batch, grid), grid).squeeze(1)  # (N, h, w)
        return values

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Resample the position table for one grid of patches; other sizes are then refused.

        Call it after the weights are loaded: later changes of the table have no effect.
        """
        self.pretrained.bake_positions((grid_h, grid_w))


def randomise(network: DepthAnything, seed: int) -> None:
    """Fill a network with random weights whose outputs are like trained ones: positive, varied, well scaled.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(_random_values(name, noise))
        _settle_readout(network)


def _settle_readout(network: DepthAnything) -> None:
    """Give the last layer a useful level and spread."""
    readout = network.depth_head.scratch.output_conv2[2]
    weight, bias = readout.get_parameter("weight"), readout.get_parameter("bias")
    weight.sub_(weight.mean()).mul_(READOUT_GAIN)  # so that the common level of its inputs cancels
    bias.fill_(INVERSE_LEVEL if network.max_depth_m is None else 0.0)


def _random_values(name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if name.endswith("gamma") or (".norm" in name and name.endswith("weight")):
        return 1 + noise * SPREAD_STD
    if name.endswith(("_token", "pos_embed", "bias")):
        return noise * (BIAS_STD if name.endswith("bias") else EMBEDDING_STD)
    transposed = name.startswith(("depth_head.resize_layers.0", "depth_head.resize_layers.1"))  # (in, out, k, k)
    fan_in = noise.shape[0] if transposed else noise[0].numel()
    gain = 2.0 if "resConfUnit" in name or "output_conv2.2" in name else 1.0  # a ReLU before it halves the power
    return noise * math.sqrt(gain / fan_in)
