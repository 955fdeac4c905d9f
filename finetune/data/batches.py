"""What training and validation are fed with: batches of pictures with their depth, and who gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ...export.network.make_network import Network

# Of RGB in [0, 1]. Source: ImageNet, as every Depth Anything network takes it
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures of one size with their depth.

    Args:
        images: (N, 3, h, w) float32, RGB, [0, 1]; h and w are multiples of the network's patch.
        depth_m: (N, h, w) float32, planar; inf where the sky is.
        valid: (N, h, w) bool, where depth_m is known. The sky is known for inverse depth, where it is 0.
    """

    images: Tensor
    depth_m: Tensor
    valid: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(self.images.to(device), self.depth_m.to(device), self.valid.to(device))

    def normalised(self) -> Tensor:
        """Return the pictures as a network takes them, (N, 3, h, w) float32."""
        mean, std = (self.images.new_tensor(values)[:, None, None] for values in (MEAN, STD))
        return (self.images - mean) / std

    def inverse(self) -> Tensor:
        """Return inverse depth, (N, h, w) float32, 1/m; 0 where the sky is or nothing is known."""
        return torch.where(self.valid & (self.depth_m > 0), 1 / self.depth_m, 0.0)


class Source(Protocol):
    """An endless stream of batches, each made from its number alone, so that a run can be taken up anywhere."""

    def batch(self, index: int) -> Batch:
        """Return batch number `index`, 0 or more: the same one whenever it is asked for."""
        ...


class Validation(Protocol):
    """Measures a network."""

    def measure(self, network: Network) -> Mapping[str, float]:
        """Return figures by name; the network is in eval mode."""
        ...
