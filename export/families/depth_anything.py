"""Depth Anything V1 and V2: a DINOv2 encoder with a DPT head.

V1, V2 and the metric models of V2 hold the same tensors; only an option, a record or a name tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...engine.errors import InputError
from ...engine.modelfile.contract import FinalResize
from ...engine.terms import Family, Kind
from ..network.architecture import LEAST_BLOCKS, PUBLISHED, Architecture
from ..network.depth_anything import DepthAnything
from ..network.infer import infer
from .claim import Claim
from .hub.depth_anything_config import claim_of_config, read_config, scale_output
from .hub.names.depth_anything import DEPTH_ANYTHING_NAMES
from .hub.names.renaming import rename_tensors
from .hub.settings import FolderSettings
from .published import depth_anything as published
from .rules import Conventions, FamilyRules, Kinds

# Source: the interpolate call after the network in each repository's inference code.
_FINAL_RESIZE: dict[Family, FinalResize] = {
    "depth-anything-v1": "bilinear_centres",
    "depth-anything-v2": "bilinear_corners",
}


class DepthAnythingRules(FamilyRules[Architecture]):
    """The row of Depth Anything V1 and V2."""

    name = "Depth Anything"
    title = "Depth Anything V1 and V2"
    kinds: ClassVar[Kinds] = {"depth-anything-v1": ("inverse",), "depth-anything-v2": ("inverse", "metric")}
    model_types = ("depth_anything",)
    mark = re.compile(r"^(pretrained|depth_head|backbone|neck|head)\.")
    anchor = (
        r"pretrained\.(?:cls_token|pos_embed|mask_token|patch_embed\.|blocks\.|norm\.)|depth_head\."
        r"|backbone\.(?:embeddings|encoder|layers?|layernorm)\."
        r"|neck\.(?:reassemble_stage|convs|fusion_stage)\.|head\.conv[123]\."
    )
    parts = (("pretrained", "depth_head"), ("backbone", "neck"))
    unused = re.compile(r"^(pretrained\.mask_token|depth_head\.scratch\.refinenet4\.resConfUnit1\..*)$")
    look_alikes = "V1, V2 and metric checkpoints hold the same tensors"
    entries = published.ENTRIES

    def to_official_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of transformers."""
        return rename_tensors(tensors, DEPTH_ANYTHING_NAMES)

    def infer(self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None) -> Architecture:
        """Read the sizes of the network off its tensors."""
        return infer(tensors, path)

    def shown_by_tensors(self, architecture: Architecture) -> None:
        """Return nothing: the tensors show neither family nor kind."""

    def shown_by_config(
        self, settings: FolderSettings, tensors: dict[str, Tensor], architecture: Architecture
    ) -> tuple[Claim, list[str]]:
        """Return what a config.json says; move its factor of the output into the weights."""
        config = read_config(settings)
        claim = claim_of_config(config, architecture, settings.folder)
        return claim, scale_output(tensors, config)

    def check_options(self, family: Family, kind: Kind | None, max_depth_m: float | None) -> None:
        """Refuse a metric V1."""
        if family == "depth-anything-v1" and kind == "metric":
            raise InputError(
                "--family depth-anything-v1 with --kind metric: the metric models of V1 are ZoeDepth networks, whose "
                "tensors tell what they are; leave both options out, or give --family depth-anything-v2"
            )
        super().check_options(family, kind, max_depth_m)

    def make(
        self, architecture: Architecture, *, family: Family, kind: Kind, max_depth_m: float | None, mirror: bool = True
    ) -> DepthAnything:
        """Return the network with torch's initial weights."""
        return DepthAnything(architecture, family=family, max_depth_m=max_depth_m)

    def conventions(self, architecture: Architecture, family: Family) -> Conventions:
        """Return the official sizes and resizes, which V1 and V2 share but for the last."""
        return Conventions(base_px=(518, 518), rule="lower_bound", final_resize=_FINAL_RESIZE[family])

    def remarks(self, architecture: Architecture, family: Family) -> tuple[str, ...]:
        """Return a remark about the blocks that feed the head if the encoder's depth is not a published one."""
        if family == "depth-anything-v1":
            return ()
        if architecture.depth in {LEAST_BLOCKS, *(depth for _, depth in PUBLISHED)}:  # the fewest blocks all feed it
            return ()
        taps = ", ".join(str(tap + 1) for tap in architecture.taps(family))
        return (f"No published encoder has {architecture.depth} blocks: the head is taken to read blocks {taps}.",)
