"""Depth Anything 3, one view: DINOv2 encoders with a DPT head; depth of unknown scale, or metres for a known camera.

Mono and metric hold the same tensors; only an option or a name tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from ...engine.terms import Family, Kind
from ..network.depth_anything3.architecture import OTHER_TASKS, Da3Architecture, infer, published
from ..network.depth_anything3.network import DepthAnything3
from .claim import Claim
from .hub.depth_anything3_config import check_da3_config
from .hub.names.depth_anything3 import DEPTH_ANYTHING3_NAMES
from .hub.names.renaming import rename_tensors
from .hub.settings import DA3, FolderSettings
from .published import depth_anything3 as catalogued
from .rules import Conventions, FamilyRules, Kinds

# metres = output * focal length / 300. Source: Depth-Anything-3 README.md (DA3METRIC-LARGE)
FOCAL_UNIT_PX = 300.0
SKY_FROM = 0.3  # Source: Depth-Anything-3 src/depth_anything_3/model/da3.py (_process_mono_sky_estimation)

_DEPTHS = {published(size, any_view=True).depth for size in ("vits", "vitl", "vitg")}


class DepthAnything3Rules(FamilyRules[Da3Architecture]):
    """The row of Depth Anything 3."""

    name = "Depth Anything 3"
    title = "Depth Anything 3 (one view)"
    kinds: ClassVar[Kinds] = {"depth-anything-3": ("metric", "scale")}
    model_types = (DA3,)
    mark = re.compile(r"^(backbone\.pretrained|head\.(?:projects|resize_layers|scratch|norm))\.")
    anchor = (
        r"backbone\.pretrained\.|backbone\.(?:embeddings|encoder|layernorm)\."
        r"|head\.(?:projects|resize_layers|scratch|norm)\.|(?:cam_enc|cam_dec|gs_head|gs_adapter)\."
    )
    parts = (("backbone", "head"),)
    ignored = OTHER_TASKS
    look_alikes = "the mono and the metric network of Depth Anything 3 hold the same tensors"
    entries = catalogued.ENTRIES
    half_only_measured = True

    def to_official_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of ComfyUI's repack."""
        return rename_tensors(tensors, DEPTH_ANYTHING3_NAMES)

    def infer(
        self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None
    ) -> Da3Architecture:
        """Read the sizes of the network off its tensors."""
        return infer(tensors, path)

    def shown_by_tensors(self, architecture: Da3Architecture) -> Claim:
        """Return the family, and the kind of the networks that are not mono's and metric's."""
        return Claim("its tensors", "depth-anything-3", None if architecture.has_sky else "scale")

    def shown_by_config(
        self, settings: FolderSettings, tensors: dict[str, Tensor], architecture: Da3Architecture
    ) -> tuple[Claim, list[str]]:
        """Return what the tensors show; its model_name counts as the name of the folder does."""
        check_da3_config(settings, architecture)
        return self.shown_by_tensors(architecture), []

    def left_out(self, ignored: Iterable[str]) -> tuple[str, ...]:
        """Return a remark about heads for cameras, rays and 3D Gaussians in the file."""
        matches = [match for name in ignored if (match := OTHER_TASKS.match(name))]
        parts = sorted({match["part"] or "the rays (*_aux)" for match in matches})
        return (f"Left out, since the depth of one view does not need it: {', '.join(parts)}.",) if parts else ()

    def has_bound(self, architecture: Da3Architecture, kind: Kind) -> bool:
        """Return False: depth is the exponential of the last layer."""
        return False

    def make(
        self,
        architecture: Da3Architecture,
        *,
        family: Family,
        kind: Kind,
        max_depth_m: float | None,
        mirror: bool = True,
    ) -> DepthAnything3:
        """Return the network with torch's initial weights."""
        return DepthAnything3(architecture)

    def conventions(self, architecture: Da3Architecture, family: Family) -> Conventions:
        """Return the official size and resize. Upstream leaves the answer at the input's size.

        Source: Depth-Anything-3 src/depth_anything_3/utils/io/input_processor.py
        """
        return Conventions(
            base_px=(504, 504),
            rule="longest_nearest",
            final_resize="bilinear_centres",
            input_resize="area_uint8",
            focal_unit_px=FOCAL_UNIT_PX,
            sky_from=SKY_FROM if architecture.has_sky else None,
        )

    def remarks(self, architecture: Da3Architecture, family: Family) -> tuple[str, ...]:
        """Return a remark about the blocks that feed the head if the encoder's depth is not a published one."""
        if architecture.depth in _DEPTHS:
            return ()
        taps = ", ".join(str(tap + 1) for tap in architecture.taps)
        return (f"No published encoder has {architecture.depth} blocks: the head is taken to read blocks {taps}.",)
