"""ZoeDepth N, K and NK: metric bins on MiDaS' dpt_beit_large_384, or N on Depth Anything V1; depth in metres."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...engine.terms import Family, Kind
from ..network.architecture import Architecture
from ..network.midas import architecture as midas
from ..network.zoedepth.architecture import UNUSED, ZoeArchitecture, infer
from ..network.zoedepth.zoedepth import ZoeDepth
from .claim import Claim
from .half import HalfDrift
from .hub.names.renaming import rename_tensors
from .hub.names.zoedepth import ZOEDEPTH_NAMES
from .hub.settings import FolderSettings
from .hub.zoedepth_config import check_zoe_config
from .published import zoedepth as published
from .published.zoedepth import TRAINED_M
from .rules import HALF, Conventions, FamilyRules, Kinds

# Source: LiheYoung/Depth-Anything, metric_depth: evaluate.py (the mean with the mirror image, no margin),
# zoedepth/models/base_models/depth_anything.py (PrepForMidas) and zoedepth/models/zoedepth/config_zoedepth.json, whose
# section "eval" leaves the aspect aside. Its metrics resize the output bilinearly, corners on corners.
_ON_DEPTH_ANYTHING = Conventions(
    base_px=(392, 518),
    rule="stretch",
    final_resize="bilinear_corners",
    input_resize="bilinear_corners",
    mirrored=True,
)


def conventions_at(base_px: tuple[int, int]) -> Conventions:
    """Return the official way of ZoeDepth on BEiT at a size (h, w).

    Source: isl-org/ZoeDepth, config_zoedepth*.json and base_models/.
    """
    return Conventions(
        base_px=base_px,
        rule="minimal",
        final_resize="bicubic",
        mean=HALF,
        std=HALF,
        input_resize="bilinear_corners",
        margin="zoe",
        mirrored=True,
    )


class ZoeDepthRules(FamilyRules[ZoeArchitecture]):
    """The row of ZoeDepth."""

    name = "ZoeDepth"
    title = "ZoeDepth"
    kinds: ClassVar[Kinds] = {"zoedepth": ("metric",)}
    model_types = ("zoedepth",)
    mark = re.compile(r"^(core\.core|metric_head|relative_head|conditional_log_binomial|seed_bin_regressors?)\.")
    anchor = (
        r"core\.core\.(?:pretrained|scratch|depth_head)\.|(?:metric_head|relative_head|conditional_log_binomial)\."
        r"|(?:seed_bin_regressors?|seed_projector|attractors|projectors|patch_transformer|mlp_classifier)\."
    )
    parts = (("core", "conditional_log_binomial"), ("backbone", "metric_head"))
    beside = re.compile(r"^conv2\.")
    unused = re.compile(
        r"^core\.core\.(?:(?:depth_head\.)?scratch\.refinenet4\.resConfUnit1\.|pretrained\.mask_token$)"
    )
    ignored = re.compile(f"{UNUSED.pattern}|{midas.UNUSED.pattern}|\\.relative_position_index$")
    entries = published.ENTRIES
    half = (HalfDrift("ZoeD_M12_N", "fp16", images=100, drift=1.04e-3, worst=2.09e-3),)  # at 192x256

    def to_official_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of transformers."""
        return rename_tensors(tensors, ZOEDEPTH_NAMES)

    def infer(
        self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None
    ) -> ZoeArchitecture:
        """Read the sizes of the network off its tensors."""
        return infer(tensors, path)

    def shown_by_tensors(self, architecture: ZoeArchitecture) -> Claim:
        """Return the family and the only kind that it has."""
        return Claim("its tensors", "zoedepth", "metric")

    def shown_by_config(
        self, settings: FolderSettings, tensors: dict[str, Tensor], architecture: ZoeArchitecture
    ) -> tuple[Claim, list[str]]:
        """Return what the tensors show: the config.json of K does not have the upper end of its training."""
        check_zoe_config(settings, architecture)
        return self.shown_by_tensors(architecture), []

    def assumed(self, architecture: ZoeArchitecture) -> Claim | None:
        """Return the upper end of K in its training."""
        return Claim("its training", kind="metric", max_depth_m=TRAINED_M) if architecture.normed else None

    def has_bound(self, architecture: ZoeArchitecture, kind: Kind) -> bool:
        """Return whether the bins lie in a fixed range."""
        return architecture.normed

    def make(
        self,
        architecture: ZoeArchitecture,
        *,
        family: Family,
        kind: Kind,
        max_depth_m: float | None,
        mirror: bool = True,
    ) -> ZoeDepth:
        """Return the network with torch's initial weights."""
        return ZoeDepth(architecture, max_depth_m=max_depth_m, mirrored=mirror)

    def conventions(self, architecture: ZoeArchitecture, family: Family) -> Conventions:
        """Return the official sizes and resizes."""
        if isinstance(architecture.core, Architecture):
            return _ON_DEPTH_ANYTHING
        return conventions_at((384, 768) if architecture.normed else (384, 512))

    def remarks(self, architecture: ZoeArchitecture, family: Family) -> tuple[str, ...]:
        """Return what the maximum depth of K does."""
        if not architecture.normed:
            return ()
        return (
            "The metres of ZoeDepth K are proportional to the maximum depth: 80 is that of its training; "
            "--max-depth 10 gives the numbers of the folder at Hugging Face.",
        )
