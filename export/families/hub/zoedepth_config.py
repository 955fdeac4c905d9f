"""The config.json of a ZoeDepth folder: that the network of its tensors computes as it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ....engine.errors import ModelFileError
from ....engine.system.field_types import Count, Length, Name
from ...foreign_json import read_known
from ...network.midas.architecture import BeitArchitecture
from ...network.zoedepth.architecture import ZoeArchitecture
from ...network.zoedepth.log_binomial import MAX_TEMPERATURE, MIN_TEMPERATURE
from ...network.zoedepth.router import ROUTER_HEADS
from .dpt_config import FACTORS, BackboneConfig, Factors, backbone_settings
from .settings import FolderSettings, refuse_other_settings

MIN_DEPTH_M = 1e-3


@dataclass(frozen=True, slots=True)
class BinConfig:
    """One set of bins. Its max_depth is not used by N and NK, and is not that of K's training."""

    n_bins: Count | None = None
    min_depth: float | None = None


# Source: transformers models/zoedepth/configuration_zoedepth.py
@dataclass(frozen=True, slots=True)
class ZoeConfig:
    """A config.json that transformers wrote for ZoeDepth; None: not given.

    Args:
        bin_centers_type: "softplus" of N and NK, "normed" of K.
        bin_configurations: One of N and K, two of NK.
    """

    backbone_config: BackboneConfig | None = None
    readout_type: Name | None = None
    reassemble_factors: Factors | None = None
    add_projection: bool | None = None
    use_batch_norm_in_fusion_residual: bool | None = None
    head_in_index: int | None = None
    bin_centers_type: Name | None = None
    bin_configurations: Annotated[tuple[BinConfig, ...], Length(0, 1000)] | None = None
    attractor_kind: Name | None = None
    attractor_gamma: float | None = None
    min_temp: float | None = None
    max_temp: float | None = None
    patch_transformer_num_attention_heads: Count | None = None


def check_zoe_config(settings: FolderSettings, architecture: ZoeArchitecture) -> None:
    """Refuse settings that the network of the tensors does not compute.

    Its layer_norm_eps and attractor_alpha are not read: no official network uses what published folders say.

    Raises:
        ModelFileError: A value is wrong, or another one is asked for.
    """
    if not isinstance(architecture.core, BeitArchitecture):
        raise ModelFileError(
            f"{settings.folder} has a config.json of ZoeDepth on BEiT and tensors of ZoeDepth on Depth Anything; give "
            "the file of weights by itself"
        )
    config = read_known(ZoeConfig, dict(settings.config), name=settings.config_name)
    bins = config.bin_configurations or ()
    asked: list[tuple[str, object, object]] = [
        ("readout_type", config.readout_type, "project"),
        ("reassemble_factors", config.reassemble_factors, FACTORS),
        ("add_projection", config.add_projection, False),
        ("use_batch_norm_in_fusion_residual", config.use_batch_norm_in_fusion_residual, False),
        ("head_in_index", config.head_in_index, -1),
        ("bin_centers_type", config.bin_centers_type, "normed" if architecture.normed else "softplus"),
        ("the number of bin_configurations", len(bins) or None, 2 if architecture.routed else 1),
        *(("n_bins", each.n_bins, architecture.bins) for each in bins),
        *(("min_depth", each.min_depth, MIN_DEPTH_M) for each in bins),
        ("attractor_kind", config.attractor_kind, "mean"),
        ("attractor_gamma", config.attractor_gamma, 2.0),
        ("min_temp", config.min_temp, MIN_TEMPERATURE),
        ("max_temp", config.max_temp, MAX_TEMPERATURE),
        *backbone_settings(config.backbone_config or BackboneConfig(), architecture.core),
    ]
    if architecture.routed:
        heads = config.patch_transformer_num_attention_heads
        asked.append(("patch_transformer_num_attention_heads", heads, ROUTER_HEADS))
    refuse_other_settings(f"{settings.folder}: config.json says", asked)
