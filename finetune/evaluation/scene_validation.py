"""Measures a network on scenes that no training uses: figures of depth, aligned by scale and shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ...engine.errors import InputError
from ...export.network.network import Network
from ..data.batches import Batch
from ..scenes.render import render_scenes
from ..training.losses import LEAST_PIXELS, align

HELD_OUT_SEED = 10_000_000  # no training uses scenes of this seed and later ones
HELD_OUT_TEXTURES = 1_000_000
# Depth beyond it is not measured. Source: Hypersim and Virtual KITTI 2, as upstream
CAP_M = {"indoor": 20.0, "outdoor": 80.0}
DELTA = 1.25  # Source: Eigen et al. 2014


def depth_figures(depth_m: Tensor, truth_m: Tensor, valid: Tensor) -> tuple[dict[str, float], int]:
    """Return abs_rel, rmse_m and delta1, means over images of the mean over pixels, and the number of images measured.

    Args:
        depth_m, truth_m: (N, h, w), metres.
        valid: (N, h, w) bool; images with fewer than LEAST_PIXELS are left out. If all are, figures are NaN.
    """
    enough = valid.flatten(1).sum(1) >= LEAST_PIXELS
    depth_m, truth_m, valid = (maps[enough].flatten(1) for maps in (depth_m, truth_m, valid))
    truth_m = torch.where(valid, truth_m, 1.0)  # the sky is infinite

    def mean(values: Tensor) -> Tensor:
        return (torch.where(valid, values, 0.0)).sum(1) / valid.sum(1)

    ratio = torch.maximum(depth_m / truth_m, truth_m / depth_m)
    figures = {
        "abs_rel": float(mean((depth_m - truth_m).abs() / truth_m).mean()),
        "rmse_m": float(mean((depth_m - truth_m).square()).sqrt().mean()),
        "delta1": float(mean((ratio < DELTA).float()).mean()),
    }
    return figures, len(truth_m)


def measure(network: Network, batches: Sequence[Batch], cap_m: float) -> dict[str, float]:
    """Measure a network: inverse depth after the best scale and shift of each image, metres unchanged.

    Args:
        network: In eval mode; batches are moved to its device.
        batches: Images with their depth; figures are means over the images with enough pixels.
        cap_m: Pixels with larger depth are left out, and predictions are clamped to it.

    Raises:
        InputError: No image has enough pixels.
    """
    sums: dict[str, float] = {}
    images = 0
    device = next(network.parameters()).device
    for batch in (given.to(device) for given in batches):
        valid = batch.valid & (batch.depth_m > 0) & (batch.depth_m <= cap_m)
        answer = network(batch.normalised()).float()
        if network.max_depth_m is None:
            answer = 1 / align(answer, batch.inverse(), valid).clamp(min=1 / cap_m)
        figures, measured = depth_figures(answer.clamp(max=cap_m), batch.depth_m, valid)
        if measured:
            images += measured
            sums = {name: sums.get(name, 0.0) + value * measured for name, value in figures.items()}
    if images == 0:
        raise InputError(f"no image has {LEAST_PIXELS} pixels of depth up to {cap_m:g} m; validate on other images")
    return {name: value / images for name, value in sums.items()}


class SceneValidation:
    """Measures a network on held-out scenes.

    Args:
        batches: Batches by setting, as held_out_scenes returns them.
    """

    def __init__(self, batches: Mapping[str, Sequence[Batch]]) -> None:
        self._batches = batches

    def measure(self, network: Network) -> Mapping[str, float]:
        """Return figures by setting and name: indoor_abs_rel, outdoor_delta1."""
        found: dict[str, float] = {}
        for setting, batches in self._batches.items():
            figures = measure(network, batches, CAP_M[setting])
            found |= {f"{setting}_{name}": value for name, value in figures.items()}
        return found


def held_out_scenes(setting: str, count: int, size_px: tuple[int, int], batch: int = 16) -> list[Batch]:
    """Render the first scenes of a setting that no training uses: other seeds, other textures.

    Args:
        setting: "indoor" or "outdoor".
        count: Number of scenes.
        size_px: (h, w), multiples of the network's patch.
        batch: Images in a batch.
    """
    batches = []
    for start in range(0, count, batch):
        seeds = range(HELD_OUT_SEED + start, HELD_OUT_SEED + min(start + batch, count))
        scenes = render_scenes(
            seeds, height_px=size_px[0], width_px=size_px[1], setting=setting, texture_seed=HELD_OUT_TEXTURES
        )
        depth_m = torch.where(scenes.valid, scenes.depth_m, torch.inf).clone()
        known = torch.ones_like(scenes.valid)
        batches.append(Batch(scenes.image.float() / 255, depth_m, known))
    return batches
