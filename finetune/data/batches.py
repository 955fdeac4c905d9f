"""Batches of images with their depth, and the interfaces of sources and validations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from ...export.network.network import Network

Rgb = tuple[float, float, float]

# Of RGB in [0, 1]. Source: ImageNet; every Depth Anything network expects it
MEAN: Rgb = (0.485, 0.456, 0.406)
STD: Rgb = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of one size with their depth.

    Args:
        images: (N, 3, h, w) float32, RGB, [0, 1]; h and w are multiples of the network's patch.
        depth_m: (N, h, w) float32, planar; infinite for the sky.
        valid: (N, h, w) bool, pixels whose depth is known. The sky is valid: its inverse depth is 0.
        regions: (N, h, w) uint8, bits as in bench.datasets.regions; None if nothing is marked.
        mean, std: Of RGB, as the network expects it.
    """

    images: Tensor
    depth_m: Tensor
    valid: Tensor
    regions: Tensor | None = field(default=None, kw_only=True)
    mean: Rgb = field(default=MEAN, kw_only=True)
    std: Rgb = field(default=STD, kw_only=True)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        regions = None if self.regions is None else self.regions.to(device)
        images, depth_m, valid = (values.to(device) for values in (self.images, self.depth_m, self.valid))
        return Batch(images, depth_m, valid, regions=regions, mean=self.mean, std=self.std)

    def normalised(self) -> Tensor:
        """Return the images minus mean, divided by std: the input of a network, (N, 3, h, w) float32."""
        mean, std = (self.images.new_tensor(values)[:, None, None] for values in (self.mean, self.std))
        return (self.images - mean) / std

    def inverse(self) -> Tensor:
        """Return inverse depth, (N, h, w) float32, 1/m; 0 for the sky and for pixels that are not valid."""
        return torch.where(self.valid & (self.depth_m > 0), 1 / self.depth_m, 0.0)


class BatchSource(Protocol):
    """An endless series of batches; a batch depends only on its number, so that a training can resume at any step."""

    def batch(self, index: int) -> Batch:
        """Return batch number `index`, 0 or more; every call with the same number returns the same batch."""
        ...


class Validation(Protocol):
    """Measures a network."""

    def measure(self, network: Network) -> Mapping[str, float]:
        """Return figures by name, for a network in eval mode."""
        ...
