"""Tiny ZoeDepth networks with seeded random weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from network_answers import SMALL, photo_batch
from torch import Tensor

from depthrt.export.network.midas.architecture import BeitArchitecture
from depthrt.export.network.zoedepth.architecture import Variant, ZoeArchitecture
from depthrt.export.network.zoedepth.randomise import randomise
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth

TINY_CORE = BeitArchitecture(64, 4, 4, 64, 16, (16, 16, 16, 16))
SIZES = [(64, 96), (96, 64)]  # landscape, portrait


def tiny_zoe(variant: Variant) -> ZoeArchitecture:
    """Return sizes with the published attractors, which transformers has for NK only."""
    attractors = (16, 16, 16, 16) if variant == "NK" else (16, 8, 4, 1)
    return ZoeArchitecture(TINY_CORE, variant, 64, 16, attractors, 64 if variant == "NK" else 0)


# On Depth Anything V1, with the least depth at which V1 takes other blocks than V2.
TINY_ZOE_DEPTH_ANYTHING = ZoeArchitecture(replace(SMALL, depth=8), "N", 64, 16, (16, 8, 4, 1))


def random_zoe(
    architecture: ZoeArchitecture, *, mirrored: bool = True, max_depth_m: float | None = None, seed: int = 0
) -> ZoeDepth:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = ZoeDepth(architecture, mirrored=mirrored, max_depth_m=max_depth_m).eval()
    randomise(network, seed)
    return network


@cache
def shared_zoe(variant: Variant, max_depth_m: float | None = None) -> ZoeDepth:
    """Return a tiny network that several tests share; not to be changed."""
    return random_zoe(tiny_zoe(variant), max_depth_m=max_depth_m)


@cache
def routed_batch(height: int, width: int, architecture: ZoeArchitecture | None = None) -> Tensor:
    """Return two images that a random NK network routes differently, indoor first; not to be written to.

    Args:
        height, width: Of the images.
        architecture: Of the network with seed 0; None takes the tiny one.

    Returns:
        (2, 3, height, width).
    """
    photo = photo_batch(height, width)
    levels = torch.randn(16, 3, 3, 3, generator=torch.Generator().manual_seed(0))  # both routes among them
    blobs = F.interpolate(levels, size=(height, width), mode="bilinear", align_corners=True)
    candidates = torch.cat([photo, -photo, photo / 3, photo.flip(-2), blobs])
    network = random_zoe(architecture or tiny_zoe("NK"))
    outdoor = routes(network, candidates)
    assert outdoor.any(), "no image is outdoor"
    assert not outdoor.all(), "no image is indoor"
    return torch.stack([candidates[~outdoor][0], candidates[outdoor][0]])


def routes(network: ZoeDepth, batch: Tensor) -> Tensor:
    """Return which images take the outdoor route, (N,) bool."""
    with torch.inference_mode():
        logits = network.route(network.conv2(network.relative_maps(batch)[2][0]))
    return logits[:, 1] > logits[:, 0]
