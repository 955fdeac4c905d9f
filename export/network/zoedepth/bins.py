"""The bins: depths that each pixel can have. First ones at the deepest map, moved towards attractors map by map.

Parameter names are those of the published checkpoints. Source: isl-org/ZoeDepth, zoedepth/models/layers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ATTRACTOR_ALPHA = 300.0  # the published configurations say 1000, which never reaches the function
NUDGE = 1e-3  # added to values that may all be zero


class Projection(nn.Module):
    """Two convolutions of one pixel: the form of every small network of the bins."""

    def __init__(self, channels_in: int, hidden: int, channels: int) -> None:
        super().__init__()
        self._net = nn.Sequential(
            nn.Conv2d(channels_in, hidden, kernel_size=1), nn.ReLU(), nn.Conv2d(hidden, channels, kernel_size=1)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, channels, h, w), any sign."""
        values: Tensor = self._net(maps)
        return values

    @property
    def last(self) -> nn.Module:
        """Return the second convolution."""
        return self._net[2]


class SeedBins(Projection):
    """The first bins.

    Args:
        channels_in: Of the deepest map.
        hidden: Width of the hidden layer.
        bins: Number of bins.
        normed: Whether the bins are shares of the depth range, in rising order; else they are metres.
    """

    def __init__(self, channels_in: int, hidden: int, bins: int, *, normed: bool) -> None:
        super().__init__(channels_in, hidden, bins)
        self.normed = normed

    def forward(self, maps: Tensor) -> Tensor:
        """Return the centres of the bins, (N, bins, h, w)."""
        values = super().forward(maps)
        if not self.normed:
            return F.softplus(values)
        widths = torch.relu(values) + NUDGE
        return _centres(widths / widths.sum(dim=1, keepdim=True))


class Attractor(Projection):
    """Depths that attract the bins of one map.

    Args:
        embedding: Channels of a bin's embedding.
        attractors: Their number for each pixel.
        normed: As for SeedBins.
    """

    def __init__(self, embedding: int, attractors: int, *, normed: bool) -> None:
        super().__init__(embedding, embedding, 2 * attractors if normed else attractors)
        self.normed = normed

    def forward(self, maps: Tensor) -> Tensor:
        """Return the attractors, (N, attractors, h, w).

        A normed network has two values for each attractor. Upstream divides the first by their sum and then drops
        the quotient, so that the weights were trained with the first value itself.
        """
        values = super().forward(maps)
        return torch.relu(values[:, ::2]) + NUDGE if self.normed else F.softplus(values)


def attract(centres: Tensor, attractors: Tensor) -> Tensor:
    """Move bins towards attractors: by the mean of d / (1 + alpha * d * d) over the distances d.

    Distances are counted in units in which alpha is 1, which spares a product for each of them.

    Args:
        centres: (N, bins, h, w).
        attractors: (N, attractors, h, w).

    Returns:
        (N, bins, h, w).
    """
    unit: float = ATTRACTOR_ALPHA**-0.5
    scaled = centres / unit
    first, *others = (attractors / unit).split(1, dim=1)  # one at a time: all at once would need gigabytes
    moved: Tensor = _pull(first - scaled)
    for attractor in others:
        moved = moved + _pull(attractor - scaled)
    return centres + moved * (unit / attractors.shape[1])


def _pull(distance: Tensor) -> Tensor:
    return distance / (1 + distance * distance)


def _centres(widths: Tensor) -> Tensor:
    """Return the middle of each bin: all widths before it and half of its own.

    A convolution of one pixel, because not every runtime has a running sum.
    """
    numbers = torch.arange(widths.shape[1], device=widths.device)
    before, own = numbers[:, None] > numbers, numbers[:, None] == numbers
    shares = before.to(widths.dtype) + 0.5 * own.to(widths.dtype)
    return F.conv2d(widths, shares[:, :, None, None])
