"""The config.json of a Depth Anything folder: what it says of the model, and that its network computes as it asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from torch import Tensor

from ....engine.errors import ModelFileError
from ....engine.system.field_types import Count, Length, Name, NotNegative
from ....engine.terms import DEPTH_ANYTHING, Family, Kind
from ...foreign_json import read_known
from ...network.architecture import Architecture
from ..claim import Claim
from .settings import FolderSettings, as_text, refuse_other_settings


# Source: transformers models/dinov2/configuration_dinov2.py and models/depth_anything
@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """The encoder's settings that its weights do not show, with the only values that this version computes.

    Args:
        num_attention_heads, out_indices: None: as the architecture has them.
    """

    model_type: Name = "dinov2"
    hidden_act: Name = "gelu"
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    apply_layernorm: bool = True
    reshape_hidden_states: bool = False
    num_attention_heads: Count | None = None
    out_indices: Annotated[tuple[int, ...], Length(0, 1000)] | None = None


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """A config.json that transformers wrote for Depth Anything.

    Args:
        backbone_config: Of the encoder.
        reassemble_factors: Scales of the four maps.
        depth_estimation_type: "relative" is inverse depth.
        max_depth: Upper end of a metric model's output in metres; a factor of an inverse model's output. None or 0:
            not given.
    """

    backbone_config: BackboneConfig = BackboneConfig()
    reassemble_factors: Annotated[tuple[float, ...], Length(0, 1000)] = (4, 2, 1, 0.5)
    depth_estimation_type: Literal["relative", "metric"] = "relative"
    max_depth: NotNegative | None = None


def read_config(settings: FolderSettings) -> FolderConfig:
    """Read a config.json strictly.

    Raises:
        ModelFileError: A value is wrong.
    """
    return read_known(FolderConfig, dict(settings.config), name=settings.config_name)


def claim_of_config(config: FolderConfig, architecture: Architecture, path: Path) -> Claim:
    """Return what a config.json says of the model.

    Raises:
        ModelFileError: It asks for something that this network does not compute.
    """
    found, usual, heads = config.backbone_config, BackboneConfig(), architecture.heads
    settings = (
        ("model_type", found.model_type, usual.model_type),
        ("hidden_act", found.hidden_act, usual.hidden_act),
        ("layer_norm_eps", found.layer_norm_eps, usual.layer_norm_eps),
        ("qkv_bias", found.qkv_bias, usual.qkv_bias),
        ("apply_layernorm", found.apply_layernorm, usual.apply_layernorm),
        ("reshape_hidden_states", found.reshape_hidden_states, usual.reshape_hidden_states),
        ("num_attention_heads", found.num_attention_heads, heads),
        ("reassemble_factors", config.reassemble_factors, FolderConfig().reassemble_factors),
    )
    refuse_other_settings(f"{path}: config.json says", settings)
    kind: Kind = "metric" if config.depth_estimation_type == "metric" else "inverse"
    return Claim(
        source="config.json",
        family=_family_of_taps(found.out_indices, architecture, path),
        kind=kind,
        max_depth_m=(config.max_depth or None) if kind == "metric" else None,
    )


def scale_output(tensors: dict[str, Tensor], config: FolderConfig) -> list[str]:
    """Move into the weights what transformers does after the last layer of an inverse model.

    It multiplies inverse depth by max_depth, too, although its documentation says otherwise. With the ReLU in between,
    larger weights of the last convolution do the same.

    Args:
        tensors: By official name; changed in place.
        config: Of the folder.

    Returns:
        A remark about it, or none.
    """
    factor = config.max_depth
    if config.depth_estimation_type != "relative" or factor in (None, 0, 1):
        return []
    for name in ("weight", "bias"):
        last = f"depth_head.scratch.output_conv2.2.{name}"
        if last in tensors:
            tensors[last] = tensors[last].to(torch.float32) * factor
    return [f"config.json multiplies the inverse depth by {factor:g}; the last convolution does that now."]


def _family_of_taps(out_indices: tuple[int, ...] | None, architecture: Architecture, path: Path) -> Family | None:
    """Tell V1 from V2 by the blocks that feed the head; None if both read the same blocks."""
    if out_indices is None:
        return None
    # transformers counts the embeddings as number 0
    taps = {family: tuple(block + 1 for block in architecture.taps(family)) for family in DEPTH_ANYTHING}
    fitting = [family for family in DEPTH_ANYTHING if taps[family] == out_indices]
    if not fitting:
        raise ModelFileError(
            f"{path}: config.json feeds the head from {as_text(out_indices)}, expected "
            f"{as_text(taps['depth-anything-v1'])} (V1) or {as_text(taps['depth-anything-v2'])} (V2); "
            "other choices cannot be exported"
        )
    return fitting[0] if len(fitting) == 1 else None
