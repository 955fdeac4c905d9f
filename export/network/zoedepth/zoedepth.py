"""ZoeDepth, on MiDaS or on Depth Anything V1: a batch of normalised images becomes depth in metres."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ....engine.terms import Family
from ..architecture import Architecture
from ..depth_anything import DepthAnything
from ..midas.network import Midas
from ..network import Network, mirror_mean
from .architecture import CORE_FAMILY, ZoeArchitecture
from .metric_bins import MetricBins


class ZoeDepth(MetricBins, Network):
    """Metric bins on a network of MiDaS or of Depth Anything V1, exact to the published networks.

    Its tensors have the official names and shapes; those that no output depends on (see architecture.UNUSED) are not
    among them, except those of the deepest fusion.

    Args:
        architecture: Sizes of the layers.
        max_depth_m: As for MetricBins.
        mirrored: Whether to answer with the mean of an image and its mirror image, as upstream does.
    """

    architecture: ZoeArchitecture
    family: Family = "zoedepth"

    def __init__(
        self, architecture: ZoeArchitecture, *, max_depth_m: float | None = None, mirrored: bool = True
    ) -> None:
        super().__init__(architecture, max_depth_m)
        self.float32_parts = tuple(name for name, _ in self.named_children())  # the bins
        self.mirrored = mirrored
        self.core = _Core(architecture)

    def forward(self, batch: Tensor) -> Tensor:
        """Estimate depth.

        Args:
            batch: (N, 3, h, w) RGB, normalised; h and w are multiples of the architecture's patch_px.

        Returns:
            (N, h, w): metres.

        Raises:
            InputError: A side is not a multiple of patch_px, or not the baked one.
        """
        if not self.mirrored:
            return self._estimate(batch)
        return mirror_mean(self._estimate, batch)

    def bake_positions(self, grid_h: int, grid_w: int) -> None:
        """Resample the tables of positions for one input of grid_h by grid_w cells; other sizes are then refused."""
        self.core.core.bake_positions(grid_h, grid_w)

    def relative_maps(self, batch: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Return what the bins read: the relative depth, the features behind it, and the maps; see `metres`."""
        features, relative, maps = _fused(self.core.core, batch)
        dtype = self.conv2.weight.dtype  # the bins can have a wider type than the core
        return torch.relu(relative).to(dtype), features.to(dtype), [each.to(dtype) for each in maps]

    def _estimate(self, batch: Tensor) -> Tensor:
        """Return metres (N, h, w), each image for itself, in the type of the bins."""
        return self.metres(*self.relative_maps(batch))


class _Core(nn.Module):
    """The place of the relative network in the official names."""

    def __init__(self, architecture: ZoeArchitecture) -> None:
        super().__init__()
        core = architecture.core
        self.core = DepthAnything(core, family=CORE_FAMILY) if isinstance(core, Architecture) else Midas(core)


def _fused(core: DepthAnything | Midas, batch: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return what the last layer of a relative network reads, its values of any sign, and the maps of its head."""
    cells = core.cells(batch)
    if isinstance(core, Midas):
        maps = core.scratch.fuse(core.pretrained(batch), cells)
        return *core.scratch.read_out(maps[-1], cells), maps
    head = core.depth_head
    maps = head.scratch.levels(head.reassemble(core.pretrained(batch, cells), cells), cells)
    return *head.scratch.read_out(maps[-1], cells, head.patch_px), maps
