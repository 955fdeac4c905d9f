"""The share of each bin in a pixel's depth: a binomial distribution with a learned temperature.

Source: isl-org/ZoeDepth, zoedepth/models/layers/dist_layers.py.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.0212, 50.0
SHARE_NUDGE = 1e-4  # added to both parts of a share; also the least probability
SERIES_TERMS = 8  # of softplus; the next one is below 1e-8 of the result
COUNT_NUDGE = 1e-7  # added to counts before their logarithm


class LogBinomial(nn.Module):
    """A small network that gives each pixel the probability and the temperature of its distribution.

    Args:
        features: Channels of the last map of the relative network.
        embedding: Channels of a bin's embedding.
        hidden: Width of the hidden layer.
    """

    def __init__(self, features: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.features = features
        self.mlp = nn.Sequential(
            nn.Conv2d(features + embedding, hidden, kernel_size=1),
            nn.GELU(),
            nn.Conv2d(hidden, 4, kernel_size=1),
        )

    def forward(self, last: Tensor, embedding: Tensor) -> Tensor:
        """Return (N, 4, h, w), each positive: two parts of the probability, two of the temperature.

        The first layer is linear, so that it can work on the embedding before it is resized: fewer channels, at a
        quarter of the pixels.

        Args:
            last: (N, features, h, w).
            embedding: (N, embedding, h / 2, w / 2).
        """
        first, rest = self.mlp[0], self.mlp[1:]
        weight, bias = first.get_parameter("weight"), first.get_parameter("bias")
        below = F.conv2d(embedding, weight[:, self.features :], bias)
        hidden = F.conv2d(last, weight[:, : self.features]) + resize_to(below, last)
        return softplus(rest(hidden))


def expected_depth(parts: Tensor, centres: Tensor) -> Tensor:
    """Return the mean of the bins under the distribution of each pixel.

    Args:
        parts: (N, 4, h, w), of LogBinomial.
        centres: (N, bins, h, w).

    Returns:
        (N, h, w).
    """
    probability = _share(parts[:, 0:1], parts[:, 1:2])
    temperature = (MAX_TEMPERATURE - MIN_TEMPERATURE) * _share(parts[:, 2:3], parts[:, 3:4]) + MIN_TEMPERATURE
    hit, miss = torch.log(_probable(probability)), torch.log(_probable(1 - probability))
    bins = centres.shape[1]
    counts = torch.arange(bins, dtype=centres.dtype, device=centres.device).view(1, -1, 1, 1)
    logits = (_log_choices(bins, centres) + counts * hit + (bins - 1 - counts) * miss) / temperature
    return (torch.softmax(logits, dim=1) * centres).sum(dim=1)


def softplus(values: Tensor) -> Tensor:
    """Return log(1 + exp(values)), with every digit of small results.

    A share of a distribution is a quotient of small results, and OpenVINO's operator loses a tenth of them at -12.
    With s = u / (2 + u), log(1 + u) is twice the inverse hyperbolic tangent of s, whose series is short for u <= 1.
    """
    small = torch.exp(-values.abs())
    ratio = small / (2 + small)  # at most 1/3
    square = ratio * ratio
    first, *rest = (1 / (2 * term + 1) for term in reversed(range(SERIES_TERMS)))
    series = square * first + rest[0]
    for coefficient in rest[1:]:
        series = series * square + coefficient
    return torch.relu(values) + 2 * ratio * series


def resize_to(maps: Tensor, other: Tensor) -> Tensor:
    """Resize maps to the size of other maps, bilinear, corners on corners."""
    size = other.shape[2], other.shape[3]
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=True)


def _share(part: Tensor, other: Tensor) -> Tensor:
    nudged = part + SHARE_NUDGE
    return nudged / (nudged + (other + SHARE_NUDGE))


def _probable(probability: Tensor) -> Tensor:
    return probability.clamp(SHARE_NUDGE, 1.0)


def _log_choices(bins: int, like: Tensor) -> Tensor:
    """Return log of (bins - 1 over k) for each k by Stirling's formula, (1, bins, 1, 1), in float32 as upstream."""
    whole = torch.tensor(bins - 1.0) + COUNT_NUDGE
    counts = torch.arange(bins, dtype=torch.float32) + COUNT_NUDGE
    rest = whole - counts
    found = whole * torch.log(whole) - counts * torch.log(counts) - rest * torch.log(rest + COUNT_NUDGE)
    return found.view(1, -1, 1, 1).to(like)
