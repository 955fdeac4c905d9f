"""MiDaS with a Swin transformer: a square batch of normalised images becomes inverse depth."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .....engine.errors import InputError
from .....engine.terms import Family
from ...network import Network
from ..architecture import CELL_PX
from ..head import Scratch
from ..settle import settle
from .architecture import SwinArchitecture
from .encoder import Swin

# For random weights.
SPREAD_STD = 0.1
BIAS_STD = 0.02
TABLE_STD = 0.5
LOGIT_SCALE = 2.3  # log 10, where training starts. Source: timm swin_transformer_v2


class Pretrained(nn.Module):
    """The encoder, under the name that official files nest it in."""

    def __init__(self, architecture: SwinArchitecture) -> None:
        super().__init__()
        self.model = Swin(architecture)


class MidasSwin(Network):
    """A Swin transformer with a DPT head, exact to the published networks.

    Its state_dict has the names and shapes of a published checkpoint, but for those in architecture.UNUSED.

    Args:
        architecture: Sizes of the layers.
    """

    architecture: SwinArchitecture
    family: Family = "midas"

    def __init__(self, architecture: SwinArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.pretrained = Pretrained(architecture)
        self.scratch = Scratch(architecture.widths, architecture.features)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, side_px, side_px) RGB, normalised.

        Returns:
            (N, side_px, side_px): inverse depth, zero or more, larger is nearer.

        Raises:
            InputError: The images have another size.
        """
        height, width = batch.shape[2:]
        self._check_size(height, width)
        return torch.relu(self.values(batch))

    def values(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), any sign: the output without the last ReLU."""
        cells = self.architecture.side_px // CELL_PX
        values: Tensor = self.scratch(self.pretrained.model(batch), (cells, cells))
        return values.squeeze(1)  # (N, h, w)

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Compute the biases of all relative positions; later changes of the weights have no effect on them.

        Raises:
            InputError: The grid of cells is not the network's.
        """
        self._check_size(grid_h * CELL_PX, grid_w * CELL_PX)
        self.pretrained.model.bake()

    def _check_size(self, height: int, width: int) -> None:
        side_px = self.architecture.side_px
        if (height, width) != (side_px, side_px):
            raise InputError(
                f"input of {height}x{width} px found, a Swin transformer takes {side_px}x{side_px} px only; "
                "resize the image"
            )


def randomise(network: MidasSwin, seed: int) -> None:
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
    side_px = network.architecture.side_px
    settle(network.scratch.output_conv[4], network.values, (side_px, side_px), seed)


def _random_values(name: str, noise: Tensor) -> Tensor:
    """Shape standard normal noise into values that suit a parameter."""
    if ".norm" in name and name.endswith("weight"):
        return 1 + noise * SPREAD_STD
    if name.endswith("logit_scale"):
        return LOGIT_SCALE + noise * 0.5
    if name.endswith("bias_table"):
        return noise * TABLE_STD
    if name.endswith("bias"):
        return noise * (1.0 if "cpb_mlp" in name else BIAS_STD)
    gain = 2.0 if name.startswith("scratch.") or "fc2" in name or "cpb_mlp" in name else 1.0  # after a ReLU or GELU
    return noise * math.sqrt(gain / noise[0].numel())
