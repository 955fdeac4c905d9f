"""A residual convolutional encoder with Depth Anything's head: a network that two cores can train from random weights.

A transformer trained on a few hundred thousand images still sees nothing but a floor.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...engine.terms import Family
from .architecture import CONV_CELL_PX, ConvArchitecture
from .head import Scratch
from .network import Network, mirror_mean

STEM_WIDTH = 32  # channels at half the size
_HEAD_CELL_PX = 16  # the head's third map has 1/16 of the image's size


class Residual(nn.Module):
    """Two convolutions added to the input.

    Source: He et al. 2018, Bag of Tricks for Image Classification, figure 2 (the shortcut of ResNet-D).
    """

    def __init__(self, channels_in: int, channels: int, *, stride: int, norms: bool) -> None:
        super().__init__()
        self.conv1 = _convolution(channels_in, channels, stride=stride, norms=norms)
        self.conv2 = _convolution(channels, channels, norms=norms)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        joined = channels_in == channels
        self.shortcut = nn.Identity() if joined else _convolution(channels_in, channels, kernel=1, norms=norms)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        return F.relu(self.conv2(F.relu(self.conv1(maps))) + self.shortcut(self.pool(maps)))


class ConvEncoder(nn.Module):
    """Four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size."""

    def __init__(self, architecture: ConvArchitecture, *, norms: bool) -> None:
        super().__init__()
        widths = architecture.widths
        self.stem = nn.Sequential(
            _convolution(3, STEM_WIDTH, stride=2, norms=norms),
            nn.ReLU(),
            _convolution(STEM_WIDTH, widths[0], stride=2, norms=norms),
            nn.ReLU(),
        )
        self.stages = nn.ModuleList()
        before = widths[0]
        for number, (width, depth) in enumerate(zip(widths, architecture.depths, strict=True)):
            first = Residual(before, width, stride=2 if number else 1, norms=norms)
            rest = (Residual(width, width, stride=1, norms=norms) for _ in range(depth - 1))
            self.stages.append(nn.Sequential(first, *rest))
            before = width

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        maps, found = self.stem(batch), []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found


class ConvHead(nn.Module):
    """Depth Anything's head without its first layers, which make maps from tokens."""

    def __init__(self, architecture: ConvArchitecture) -> None:
        super().__init__()
        self.scratch = Scratch(architecture.widths, architecture.features)

    def forward(self, maps: list[Tensor], grid: tuple[int, int]) -> Tensor:
        """Return (N, 1, h, w), any sign."""
        scale = CONV_CELL_PX // _HEAD_CELL_PX
        values: Tensor = self.scratch(maps, (grid[0] * scale, grid[1] * scale), _HEAD_CELL_PX)
        return values


class ConvDepth(Network):
    """A batch of normalised images becomes inverse depth.

    Args:
        architecture: Sizes of the layers.
        norms: Whether batch norms follow the encoder's convolutions. Training needs them; checkpoints have them folded.
        mirrored: Whether it answers with the mean over the image and its mirror image.
    """

    architecture: ConvArchitecture
    family: Family = "depthrt"
    trainable = True

    def __init__(self, architecture: ConvArchitecture, *, norms: bool = False, mirrored: bool = True) -> None:
        super().__init__()
        self.architecture = architecture
        self.mirrored = mirrored
        self.pretrained = ConvEncoder(architecture, norms=norms)
        self.depth_head = ConvHead(architecture)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth; as the mean over the image and its mirror image, a mirrored image gets mirrored depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of CONV_CELL_PX.

        Returns:
            (N, h, w): inverse depth, zero or more, larger is nearer.

        Raises:
            InputError: A side is not a multiple of CONV_CELL_PX.
        """
        if not self.mirrored:
            return torch.relu(self.values(batch))
        return torch.relu(mirror_mean(self.values, batch))

    def values(self, batch: Tensor) -> Tensor:
        """Return the output for the images only, without mirror images or the cut at zero; for training.

        Args:
            batch: As for forward.

        Returns:
            (N, h, w): inverse depth, any sign.

        Raises:
            InputError: A side is not a multiple of CONV_CELL_PX.
        """
        grid = self.cells(batch)
        values: Tensor = self.depth_head(self.pretrained(batch), grid).squeeze(1)  # (N, h, w)
        return values

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Do nothing: this network has no table of positions."""


def fold_norms(network: ConvDepth) -> ConvDepth:
    """Return a copy in eval mode with each batch norm folded into the convolution before it."""
    folded = copy.deepcopy(network).eval()
    for module in list(folded.modules()):
        for name, child in module.named_children():
            if isinstance(child, NormedConvolution):
                setattr(module, name, fuse_conv_bn_eval(child.convolution, child.norm))
    return folded


class NormedConvolution(nn.Module):
    """A convolution with a batch norm."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.norm = nn.BatchNorm2d(convolution.out_channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the normed maps."""
        normed: Tensor = self.norm(self.convolution(maps))
        return normed


def _convolution(channels_in: int, channels: int, *, kernel: int = 3, stride: int = 1, norms: bool) -> nn.Module:
    convolution = nn.Conv2d(channels_in, channels, kernel, stride=stride, padding=kernel // 2, bias=not norms)
    return NormedConvolution(convolution) if norms else convolution
