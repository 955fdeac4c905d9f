"""The sizes of a ZoeDepth network, how tensors show them, and the published ones by official name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from torch import Tensor

from ....engine.terms import Family
from ..architecture import Architecture
from ..infer import infer as infer_depth_anything
from ..midas import architecture as midas
from ..midas.architecture import BeitArchitecture, Four
from ..tensor_sizes import TensorSizes

Variant = Literal["N", "K", "NK"]

CORE = "core.core."  # in front of the names of the relative network
ROUTED_MARK = "seed_bin_regressors.nyu._net.2.weight"  # only with a router
SINGLE_MARK = "seed_bin_regressor._net.2.weight"  # only without one
# In published files, but no output depends on them, and the networks here lack them.
UNUSED = re.compile(
    r"^core\.core\.pretrained\.model\.(?:norm|fc_norm|head)\.|\.attn\.relative_position_index$"
    r"|\.log_binomial_transform\.(?:k_idx|K_minus_1)$"
)

CORE_FAMILY: Family = "depth-anything-v1"  # of a core of Depth Anything
DEPTH_ANYTHING_MARK = "pretrained.patch_embed.proj.weight"  # only in such a core

SEED_HIDDEN, PROJECTOR_HIDDEN = 256, 128  # of N and K; NK has half the embedding


@dataclass(frozen=True, slots=True)
class ZoeArchitecture:
    """A BEiT network of MiDaS, or one of Depth Anything V1, with metric bins on its maps.

    Args:
        core: The relative network.
        variant: "N" (indoor) and "K" (outdoor, bins in a fixed range) have one set of bins, "NK" has two and a router.
        bins: Number of bins of a pixel.
        embedding: Channels of a bin's embedding.
        attractors: Of a pixel in each map, deep to shallow.
        router_hidden: Width of the router's feed-forward layers; 0 without a router.
    """

    core: BeitArchitecture | Architecture
    variant: Variant
    bins: int
    embedding: int
    attractors: Four
    router_hidden: int = 0

    @property
    def patch_px(self) -> int:
        """Return the unit of both input sides."""
        return self.core.patch_px

    @property
    def encoder(self) -> str:
        """Return the official name, e.g. "ZoeD_M12_NK", or e.g. "zoe-nk-beit64x4-64" for any other sizes."""
        return _official_name(self) or f"zoe-{self.variant.lower()}-{self.core.encoder}"

    @property
    def routed(self) -> bool:
        """Whether a router chooses between two sets of bins."""
        return self.variant == "NK"

    @property
    def normed(self) -> bool:
        """Whether the bins are shares of a fixed range; else they have no upper end."""
        return self.variant == "K"

    @property
    def seed_hidden(self) -> int:
        """Return the width of the hidden layer of the first bins."""
        return self.embedding // 2 if self.routed else SEED_HIDDEN

    @property
    def projector_hidden(self) -> int:
        """Return the width of the hidden layer of the projectors."""
        return self.embedding // 2 if self.routed else PROJECTOR_HIDDEN


def published(variant: Variant) -> ZoeArchitecture:
    """Return the sizes of the published network."""
    core = midas.PUBLISHED["dpt_beit_large_384"]
    assert isinstance(core, BeitArchitecture)
    if variant == "NK":
        # Upstream's builder of NK leaves the attractors at their default. Source: isl-org/ZoeDepth, zoedepth_nk_v1.py
        return ZoeArchitecture(core, variant, 64, 128, attractors=(16, 16, 16, 16), router_hidden=1024)
    return ZoeArchitecture(core, variant, 64, 128, attractors=(16, 8, 4, 1))


# The metric networks of Depth Anything V1, indoor and outdoor. Source: LiheYoung/Depth-Anything, metric_depth
ON_DEPTH_ANYTHING = ZoeArchitecture(
    Architecture(1024, 24, 14, 37, "mlp", 4096, 256, (256, 512, 1024, 1024)), "N", 64, 128, attractors=(16, 8, 4, 1)
)


def infer(tensors: Mapping[str, Tensor], path: Path) -> ZoeArchitecture:
    """Read the sizes of a network off its tensors.

    Args:
        tensors: By official name.
        path: For messages.

    Raises:
        ModelFileError: A tensor that shows a size is missing, or the size is impossible.
    """
    sizes = TensorSizes(tensors, path)
    routed = ROUTED_MARK in tensors
    bins = sizes.shape(ROUTED_MARK if routed else SINGLE_MARK, 4)[0]
    prefix = "attractors.nyu." if routed else "attractors."
    first, second, third, fourth = (sizes.shape(f"{prefix}{level}._net.2.weight", 4)[0] for level in range(4))
    # Each attractor of K has two values, so that its last map, with one attractor as in N, shows two.
    normed = not routed and fourth == 2 and first % 2 == second % 2 == third % 2 == 0
    if not routed and not normed and fourth != 1:
        raise sizes.error(f"has {fourth} values for the attractors of its last map, expected 1 (N) or 2 (K)")
    values = 2 if normed else 1
    hidden = sizes.shape("patch_transformer.transformer_encoder.layers.0.linear1.weight", 2)[0] if routed else 0
    variant: Variant = "NK" if routed else "K" if normed else "N"
    return ZoeArchitecture(
        core=_core(tensors, path, variant),
        variant=variant,
        bins=bins,
        embedding=sizes.shape("seed_projector._net.2.weight", 4)[0],
        attractors=(first // values, second // values, third // values, fourth // values),
        router_hidden=hidden,
    )


def _core(tensors: Mapping[str, Tensor], path: Path, variant: Variant) -> BeitArchitecture | Architecture:
    inside = {name.removeprefix(CORE): tensor for name, tensor in tensors.items() if name.startswith(CORE)}
    sizes = TensorSizes(inside, path)
    if DEPTH_ANYTHING_MARK in inside:
        if variant != "N":
            raise sizes.error(
                f"holds variant {variant} of ZoeDepth on Depth Anything, expected N, the only one that was published"
            )
        return infer_depth_anything(inside, path)
    if midas.BEIT_MARK not in inside:
        raise sizes.error(
            f"lacks {CORE}{midas.BEIT_MARK}: ZoeDepth is exported with BEiT or Depth Anything only; save the whole "
            "model"
        )
    core = midas.infer(inside, path)
    assert isinstance(core, BeitArchitecture)
    return core


def _official_name(architecture: ZoeArchitecture) -> str | None:
    names = {published(variant): f"ZoeD_M12_{variant}" for variant in get_args(Variant)}
    return names.get(architecture)
