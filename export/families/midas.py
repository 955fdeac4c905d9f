"""MiDaS 2.1 to 3.1: convolutions, ViT, BEiT, Swin or the hybrid encoder, under one head; inverse depth.

The hybrid's tensors are also those of isl-org/DPT's models for NYU and KITTI and of omnidata's, whose numbers mean
something else; only a name or an option tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from ...engine.errors import ModelFileError
from ...engine.terms import Family, Kind
from ..network.midas import architecture as transformers
from ..network.midas.architecture import PATCH_PX, HybridArchitecture, TransformerArchitecture
from ..network.midas.network import Midas
from ..network.midas.swin import architecture as swin
from ..network.midas.swin.architecture import SwinArchitecture
from ..network.midas.swin.midas_swin import MidasSwin
from ..network.midas.v21 import architecture as v21
from ..network.midas.v21.architecture import LargeArchitecture, SmallArchitecture
from ..network.midas.v21.midas_v21 import MidasV21
from ..network.network import Network
from .claim import Claim
from .half import HalfDrift
from .hub.dpt_config import check_dpt_config, swin_mask_shape
from .hub.names.dpt import DPT_NAMES
from .hub.names.renaming import rename_tensors
from .hub.settings import FolderSettings
from .published import midas as published
from .rules import HALF, Conventions, FamilyRules, Kinds

MidasArchitecture = TransformerArchitecture | SwinArchitecture | LargeArchitecture | SmallArchitecture

_CONVOLUTIONAL_MARK = "pretrained.layer1.0.weight"  # only in 2.1
_SWIN_MASK = "pretrained.model.layers.0.blocks.1.attn_mask"

# Random weights. Source: tests/half_drift.py, bench/results/half-drift-*.json
_HALF = (
    HalfDrift("midas_v21_small_256", "fp16", images=100, drift=8.8e-4, worst=1.23e-3),
    HalfDrift("dpt_swin2_tiny_256", "fp16", images=100, drift=6.8e-4, worst=1.13e-3),
    HalfDrift("dpt_beit_base_384", "fp16", images=100, drift=9.4e-4, worst=2.63e-3),
)


class MidasRules(FamilyRules[MidasArchitecture]):
    """The row of MiDaS."""

    name = "MiDaS"
    title = "MiDaS"
    kinds: ClassVar[Kinds] = {"midas": ("inverse",)}
    model_types = ("dpt",)
    mark = re.compile(
        r"^(pretrained\.(model|act_postprocess\d|layer\d)\.|scratch\.|dpt\.|head\.head\.|backbone\.(beit|swinv2)\."
        r"|backbone\..*\.(lambda_[12]|layernorm_before)\b)"
    )
    anchor = (
        r"pretrained\.(?:model|act_postprocess\d|layer\d)\.|scratch\.(?:layer\d_rn|refinenet\d|output_conv)\."
        r"|dpt\.(?:embeddings|encoder|layernorm)\.|backbone\.(?:beit|swinv2)\.|head\.head\."
    )
    parts = (("pretrained", "scratch"), ("dpt", "neck"), ("backbone", "neck"))
    unused = re.compile(r"^scratch\.refinenet4\.resConfUnit1\.")
    ignored = re.compile(
        "|".join(
            (
                *(pattern.pattern for pattern in (transformers.UNUSED, swin.UNUSED, v21.UNUSED)),
                r"relative_position_bias\.relative_position_index$|\.relative_coords_table$|\.relative_position_index$",
                r"^dpt\.(pooler|layernorm)\.",
            )
        )
    )
    entries = published.ENTRIES
    half = _HALF
    look_alikes = (
        "the tensors of MiDaS dpt_hybrid are also those of isl-org/DPT's models for NYU and KITTI and of omnidata's, "
        "whose numbers mean something else"
    )

    def to_official_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename tensors of transformers."""
        return rename_tensors(tensors, DPT_NAMES)

    def infer(
        self, tensors: Mapping[str, Tensor], path: Path, settings: FolderSettings | None = None
    ) -> MidasArchitecture:
        """Read the sizes of the network off its tensors; a folder's settings show a Swin's windows."""
        if swin.MARK in tensors:
            shape = None if settings is None or _SWIN_MASK in tensors else swin_mask_shape(settings)
            mask = {} if shape is None else {_SWIN_MASK: torch.empty(shape, device="meta")}
            return swin.infer({**tensors, **mask}, path)
        if _CONVOLUTIONAL_MARK in tensors:
            return v21.infer(tensors, path)
        return transformers.infer(tensors, path)

    def shown_by_tensors(self, architecture: MidasArchitecture) -> Claim:
        """Return the family, and the kind unless the tensors are also those of other models."""
        return Claim("its tensors", "midas", None if isinstance(architecture, HybridArchitecture) else "inverse")

    def shown_by_config(
        self, settings: FolderSettings, tensors: dict[str, Tensor], architecture: MidasArchitecture
    ) -> tuple[Claim, list[str]]:
        """Return what the tensors show: a config.json says nothing of the kind."""
        if isinstance(architecture, LargeArchitecture | SmallArchitecture):
            raise ModelFileError(f"{settings.folder}: config.json says dpt, the tensors are {architecture.encoder}")
        check_dpt_config(settings, architecture)
        return self.shown_by_tensors(architecture), []

    def make(
        self,
        architecture: MidasArchitecture,
        *,
        family: Family,
        kind: Kind,
        max_depth_m: float | None,
        mirror: bool = True,
    ) -> Network:
        """Return the network with torch's initial weights."""
        if isinstance(architecture, SwinArchitecture):
            return MidasSwin(architecture)
        if isinstance(architecture, LargeArchitecture | SmallArchitecture):
            return MidasV21(architecture)
        return Midas(architecture)

    def conventions(self, architecture: MidasArchitecture, family: Family) -> Conventions:
        """Return the official sizes and resizes. Source: isl-org/MiDaS midas/model_loader.py and run.py."""
        if isinstance(architecture, SwinArchitecture):
            return Conventions((architecture.side_px,) * 2, "square", "bicubic", HALF, HALF)
        if isinstance(architecture, LargeArchitecture | SmallArchitecture):
            side = 384 if isinstance(architecture, LargeArchitecture) else 256
            return Conventions((side, side), "upper_bound", "bicubic", attention=False)
        cells = max(1, round(architecture.table_side * PATCH_PX / architecture.patch_px))
        return Conventions((cells * architecture.patch_px,) * 2, "minimal", "bicubic", HALF, HALF)
