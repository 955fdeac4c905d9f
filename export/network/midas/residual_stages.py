"""The convolutional part of the hybrid encoder: a ResNetV2 with weight standardisation, as it stands in front of a ViT.

Names and numbers are timm's (resnetv2, vit_base_resnet50_384). Both sides are multiples of 32 px, so every layer with a
stride sees even sides, and "SAME" padding puts the odd pixel behind.
Source: Kolesnikov et al., Big Transfer (BiT); Qiao et al., Weight Standardization.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import HybridArchitecture

GROUPS = 32
NORM_EPS = 1e-5
STANDARDISATION_EPS = 1e-8  # under the root
NARROWING = 4  # channels of a block over those of the convolutions inside it


class StandardisedConvolution(nn.Conv2d):
    """A convolution whose kernels have mean 0 and variance 1 each; "SAME" padding, no bias."""

    def __init__(self, channels_in: int, channels: int, *, kernel: int, stride: int = 1) -> None:
        super().__init__(channels_in, channels, kernel, stride=stride, bias=False)
        missing = kernel - stride  # of an even side
        self.edges = (missing // 2, missing - missing // 2) * 2 if missing > 0 else None  # left, right, top, bottom

    def forward(self, input: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        padded = F.pad(input, self.edges) if self.edges else input
        return F.conv2d(padded, self.standardised(), stride=self.stride)

    def standardised(self) -> Tensor:
        """Return the kernels that the convolution computes with; the arithmetic is float32 or better."""
        kernels = self.weight.to(torch.promote_types(self.weight.dtype, torch.float32))
        centred = kernels - kernels.mean(dim=(1, 2, 3), keepdim=True)
        variance = (centred * centred).mean(dim=(1, 2, 3), keepdim=True)
        return (centred * torch.rsqrt(variance + STANDARDISATION_EPS)).to(self.weight.dtype)


class Downsample(nn.Module):
    """The shortcut of a block that changes the size or the channels."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv = StandardisedConvolution(channels_in, channels, kernel=1, stride=stride)
        self.norm = _norm(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        normed: Tensor = self.norm(self.conv(maps))
        return normed


class Bottleneck(nn.Module):
    """Three convolutions added to the input, with norms behind them."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        narrow = channels // NARROWING
        self.downsample = Downsample(channels_in, channels, stride) if stride > 1 or channels_in != channels else None
        self.conv1 = StandardisedConvolution(channels_in, narrow, kernel=1)
        self.norm1 = _norm(narrow)
        self.conv2 = StandardisedConvolution(narrow, narrow, kernel=3, stride=stride)
        self.norm2 = _norm(narrow)
        self.conv3 = StandardisedConvolution(narrow, channels, kernel=1)
        self.norm3 = _norm(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        shortcut = maps if self.downsample is None else self.downsample(maps)
        inner = F.relu(self.norm1(self.conv1(maps)))
        inner = F.relu(self.norm2(self.conv2(inner)))
        return F.relu(self.norm3(self.conv3(inner)) + shortcut)


class Stem(nn.Module):
    """The first convolution and a pooling: 1/4 of the image's size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = StandardisedConvolution(3, channels, kernel=7, stride=2)
        self.norm = _norm(channels)

    def forward(self, batch: Tensor) -> Tensor:
        """Turn (N, 3, h, w) into (N, channels, h / 4, w / 4)."""
        maps = F.relu(self.norm(self.conv(batch)))
        return F.max_pool2d(F.pad(maps, (0, 1, 0, 1)), kernel_size=3, stride=2)  # behind a ReLU zeros never win


class Stage(nn.Module):
    """The blocks of one size."""

    def __init__(self, channels_in: int, channels: int, depth: int, stride: int) -> None:
        super().__init__()
        first = Bottleneck(channels_in, channels, stride)
        self.blocks = nn.Sequential(first, *(Bottleneck(channels, channels, 1) for _ in range(depth - 1)))

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        refined: Tensor = self.blocks(maps)
        return refined


class ResidualStages(nn.Module):
    """Three maps of the image, at 1/4, 1/8 and 1/16 of its size."""

    def __init__(self, architecture: HybridArchitecture) -> None:
        super().__init__()
        self.stem = Stem(architecture.stem)
        self.stages = nn.ModuleList()
        before = architecture.stem
        for number, (channels, depth) in enumerate(zip(architecture.widths, architecture.depths, strict=True)):
            self.stages.append(Stage(before, channels, depth, stride=2 if number else 1))
            before = channels

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        maps, found = self.stem(batch), []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(GROUPS, channels, eps=NORM_EPS)
