"""MiDaS v2.1: a batch of normalised images becomes inverse depth."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .....engine.terms import Family
from ...network import Network
from ..settle import settle
from .architecture import LargeArchitecture, SmallArchitecture
from .decoder import Scratch
from .efficientnet_lite import EfficientNetLite
from .norm import FixedNorm
from .resnext import ResNeXt

# For random weights.
BRANCH_GAIN = 0.3  # of the norm that ends a residual branch, so that sums of many branches stay in range
SPREAD_STD = 0.1
BIAS_STD = 0.1
_SETTLED_AT_PX = (96, 128)


class MidasV21(Network):
    """A convolutional encoder with a RefineNet decoder, exact to the published networks.

    Its state_dict has exactly the names and shapes of a published checkpoint, but for the counters of training steps.

    Args:
        architecture: Sizes of the layers; its type decides between the large and the small network.
    """

    architecture: LargeArchitecture | SmallArchitecture
    family: Family = "midas"
    trainable = True

    def __init__(self, architecture: LargeArchitecture | SmallArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        features = architecture.features
        self.pretrained: nn.Module
        if isinstance(architecture, LargeArchitecture):
            self.pretrained = ResNeXt(architecture)
            self.scratch = Scratch(architecture.widths, (features,) * 4, None, readout=features // 2)
        else:
            self.pretrained = EfficientNetLite(architecture)
            levels = [features * 2**level for level in range(4)]
            fused = (features, *levels[:3])  # each level's result has the channels of the next shallower level
            self.scratch = Scratch(architecture.tapped, levels, fused, readout=features // 2)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of CELL_PX.

        Returns:
            (N, h, w): inverse depth, zero or more, larger is nearer.

        Raises:
            InputError: A side is not a multiple of CELL_PX.
        """
        return torch.relu(self.values(batch))

    def values(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), any sign: the output without the last ReLU."""
        cells = self.cells(batch)
        values: Tensor = self.scratch(self.pretrained(batch), cells)
        return values.squeeze(1)  # (N, h, w)

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Do nothing: this network has no table of positions."""


def randomise(network: MidasV21, seed: int) -> None:
    """Fill a network with random weights whose outputs are like trained ones: positive, varied, well scaled.

    Args:
        network: Changed in place; the same seed gives the same weights.
        seed: Of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, FixedNorm):
                _fill_norm(module, generator, BRANCH_GAIN if name.endswith("bn3") else 1.0)
            elif isinstance(module, nn.Conv2d):
                _fill_convolution(module, generator)
    settle(network.scratch.output_conv[4], network.values, _SETTLED_AT_PX, seed)


def _fill_norm(norm: FixedNorm, generator: torch.Generator, gain: float) -> None:
    """Give a norm statistics that its input roughly has."""
    shape = norm.weight.shape
    norm.weight.copy_(gain * (1 + SPREAD_STD * torch.randn(shape, generator=generator)))
    norm.bias.copy_(BIAS_STD * torch.randn(shape, generator=generator))
    norm.running_mean.copy_(BIAS_STD * torch.randn(shape, generator=generator))
    norm.running_var.copy_((SPREAD_STD * torch.randn(shape, generator=generator)).exp())


def _fill_convolution(convolution: nn.Conv2d, generator: torch.Generator) -> None:
    """Keep the spread of the values, whose ReLU comes before."""
    noise = torch.randn(convolution.weight.shape, generator=generator)
    convolution.weight.copy_(noise * (2 / convolution.weight[0].numel()) ** 0.5)
    if convolution.bias is not None:
        convolution.bias.copy_(BIAS_STD * torch.randn(convolution.bias.shape, generator=generator))
