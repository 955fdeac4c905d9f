"""Depth Anything 3 for one view: a batch of normalised images becomes depth of unknown scale, and sky."""

from __future__ import annotations

import torch
from torch import Tensor

from ....engine.terms import Family
from ..network import Network
from .architecture import Da3Architecture
from .encoder import Da3Encoder
from .head import Da3Head


class DepthAnything3(Network):
    """A DINOv2 encoder with a DPT head, exact to the published networks.

    Its state_dict has the names and shapes of a published checkpoint; cameras, rays and 3D Gaussians are left out.

    Args:
        architecture: Sizes of the layers.
    """

    architecture: Da3Architecture
    family: Family = "depth-anything-3"

    def __init__(self, architecture: Da3Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.has_sky = architecture.has_sky
        self.backbone = _Backbone(architecture)
        self.head = Da3Head(architecture)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of the patch's side.

        Returns:
            (N, h, w): depth above zero; of the metric network in metres for a camera of 300 px focal length.

        Raises:
            InputError: A side is not a multiple of the patch's side, or not the baked one.
        """
        return self._depth(self._features(batch))

    def with_sky(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Return depth as forward does, and the sky's value (N, h, w), zero or more, larger where sky is surer."""
        features = self._features(batch)
        return self._depth(features), torch.relu(self.head.scratch.sky_output_conv2(features)).squeeze(1)

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Resample the position table for one grid of patches; other sizes are then refused."""
        self.backbone.pretrained.bake_positions((grid_h, grid_w))

    def _features(self, batch: Tensor) -> Tensor:
        grid = self.cells(batch)
        return self.head.features(self.backbone.pretrained(batch, grid), grid)

    def _depth(self, features: Tensor) -> Tensor:
        values: Tensor = self.head.scratch.output_conv2(features)[:, 0]
        return torch.exp(values)


class _Backbone(torch.nn.Module):
    """The place of the encoder in the official names."""

    def __init__(self, architecture: Da3Architecture) -> None:
        super().__init__()
        self.pretrained = Da3Encoder(architecture)
