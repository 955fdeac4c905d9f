"""The encoder of MiDaS v2.1 small: an EfficientNet-Lite, as the official file nests it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import LITE_EXPANSION, LITE_KERNELS, LITE_STRIDES, SmallArchitecture
from .norm import FixedNorm

EPS = 1e-3  # Source: TensorFlow's EfficientNet, from which the weights come


class SameConvolution(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME pads maps with even sides: the odd cell comes after.

    Every map of this network with a stride after it has even sides, because the image's sides are multiples of 32.
    """

    def __init__(self, channels_in: int, channels: int, *, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(channels_in, channels, kernel, stride=stride, groups=groups, bias=False)
        around = kernel - stride
        self.around = (around // 2, around - around // 2)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        before, after = self.around
        padded = F.pad(maps, (before, after, before, after))
        return F.conv2d(padded, self.weight, stride=self.stride, groups=self.groups)


class Separable(nn.Module):
    """A depthwise and a pointwise convolution; the first stage's block."""

    def __init__(self, channels_in: int, channels: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.joined = stride == 1 and channels_in == channels
        self.conv_dw = _convolution(channels_in, channels_in, kernel=kernel, stride=stride, groups=channels_in)
        self.bn1 = FixedNorm(channels_in, eps=EPS)
        self.conv_pw = _convolution(channels_in, channels)
        self.bn2 = FixedNorm(channels, eps=EPS)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        found: Tensor = F.relu6(self.bn1(self.conv_dw(maps)))
        found = self.bn2(self.conv_pw(found))
        return found + maps if self.joined else found


class Inverted(nn.Module):
    """A block that expands the channels, filters each of them, and projects them back.

    Source: Sandler et al. 2018, MobileNetV2, section 3.3.
    """

    def __init__(self, channels_in: int, channels: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        inner = channels_in * LITE_EXPANSION
        self.joined = stride == 1 and channels_in == channels
        self.conv_pw = _convolution(channels_in, inner)
        self.bn1 = FixedNorm(inner, eps=EPS)
        self.conv_dw = _convolution(inner, inner, kernel=kernel, stride=stride, groups=inner)
        self.bn2 = FixedNorm(inner, eps=EPS)
        self.conv_pwl = _convolution(inner, channels)
        self.bn3 = FixedNorm(channels, eps=EPS)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        inner = F.relu6(self.bn1(self.conv_pw(maps)))
        inner = F.relu6(self.bn2(self.conv_dw(inner)))
        found: Tensor = self.bn3(self.conv_pwl(inner))
        return found + maps if self.joined else found


class EfficientNetLite(nn.Module):
    """Four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size."""

    def __init__(self, architecture: SmallArchitecture) -> None:
        super().__init__()
        stem = architecture.stem
        stages = [_stage(architecture, number) for number in range(len(architecture.widths))]
        self.layer1 = nn.Sequential(
            SameConvolution(3, stem, kernel=3, stride=2), FixedNorm(stem, eps=EPS), nn.ReLU6(), *stages[:2]
        )
        self.layer2 = nn.Sequential(*stages[2:3])
        self.layer3 = nn.Sequential(*stages[3:5])
        self.layer4 = nn.Sequential(*stages[5:])

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        found = [self.layer1(batch)]
        for layer in (self.layer2, self.layer3, self.layer4):
            found.append(layer(found[-1]))
        return found


def _stage(architecture: SmallArchitecture, number: int) -> nn.Sequential:
    """Return the blocks of a stage; its stride stands in the first."""
    before = architecture.widths[number - 1] if number else architecture.stem
    channels, kernel = architecture.widths[number], LITE_KERNELS[number]
    block = Inverted if number else Separable
    return nn.Sequential(
        block(before, channels, kernel=kernel, stride=LITE_STRIDES[number]),
        *(block(channels, channels, kernel=kernel, stride=1) for _ in range(architecture.depths[number] - 1)),
    )


def _convolution(channels_in: int, channels: int, *, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """Return a convolution that keeps the size, or divides it by the stride."""
    if stride > 1:
        return SameConvolution(channels_in, channels, kernel=kernel, stride=stride, groups=groups)
    return nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, groups=groups, bias=False)
