"""The encoder of MiDaS v2.1 large: a ResNeXt, as the official file nests it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .architecture import BOTTLENECK_GAIN, LargeArchitecture
from .norm import FixedNorm

EPS = 1e-5  # Source: torchvision.models.resnet


class Bottleneck(nn.Module):
    """Three convolutions added to the input; the grouped one in the middle has the stride.

    Source: Xie et al. 2017, Aggregated Residual Transformations for Deep Neural Networks, figure 3c.
    """

    def __init__(self, channels_in: int, inner: int, channels: int, *, groups: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, inner, kernel_size=1, bias=False)
        self.bn1 = FixedNorm(inner, eps=EPS)
        self.conv2 = nn.Conv2d(inner, inner, kernel_size=3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = FixedNorm(inner, eps=EPS)
        self.conv3 = nn.Conv2d(inner, channels, kernel_size=1, bias=False)
        self.bn3 = FixedNorm(channels, eps=EPS)
        self.downsample: nn.Module | None = None
        if channels_in != channels or stride > 1:
            shortcut = nn.Conv2d(channels_in, channels, kernel_size=1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, FixedNorm(channels, eps=EPS))

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h / stride, w / stride)."""
        inner = F.relu(self.bn1(self.conv1(maps)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return F.relu(self.bn3(self.conv3(inner)) + shortcut)


class ResNeXt(nn.Module):
    """Four maps of the image, at 1/4, 1/8, 1/16 and 1/32 of its size."""

    def __init__(self, architecture: LargeArchitecture) -> None:
        super().__init__()
        stem = architecture.stem
        self.layer1 = nn.Sequential(
            nn.Conv2d(3, stem, kernel_size=7, stride=2, padding=3, bias=False),
            FixedNorm(stem, eps=EPS),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            _stage(architecture, 0),
        )
        self.layer2 = _stage(architecture, 1)
        self.layer3 = _stage(architecture, 2)
        self.layer4 = _stage(architecture, 3)

    def forward(self, batch: Tensor) -> list[Tensor]:
        """Return the maps of (N, 3, h, w), shallow to deep."""
        found = [self.layer1(batch)]
        for layer in (self.layer2, self.layer3, self.layer4):
            found.append(layer(found[-1]))
        return found


def _stage(architecture: LargeArchitecture, number: int) -> nn.Sequential:
    """Return the bottlenecks of a stage; the first halves the size, but not in the first stage."""
    channels = architecture.stem * BOTTLENECK_GAIN * 2**number
    before = channels // 2 if number else architecture.stem
    blocks = (
        Bottleneck(
            channels if index else before,
            architecture.inner * 2**number,
            channels,
            groups=architecture.groups,
            stride=2 if number and not index else 1,
        )
        for index in range(architecture.depths[number])
    )
    return nn.Sequential(*blocks)
