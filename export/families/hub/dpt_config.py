"""The config.json of a DPT folder: that the network of its tensors computes as it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ....engine.errors import ModelFileError
from ....engine.system.field_types import Count, Length, Name
from ...foreign_json import read_known
from ...network.midas.architecture import BeitArchitecture, HybridArchitecture, VitArchitecture
from ...network.midas.swin.architecture import STAGES, SwinArchitecture
from .settings import FolderSettings, refuse_other_settings

Indices = Annotated[tuple[int, ...], Length(0, 1000)]
Factors = Annotated[tuple[float, ...], Length(0, 1000)]
Names = Annotated[tuple[Name, ...], Length(0, 1000)]

FACTORS = (4.0, 2.0, 1.0, 0.5)  # scales of the four maps
_HYBRID_MAPS = (0, 1)  # are convolutional and not reassembled


# Source: transformers models/beit/configuration_beit.py, models/swinv2/configuration_swinv2.py
@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """The settings of BEiT, SwinV2 or the hybrid's convolutions that weights do not show; None: not given.

    Args:
        model_type: "beit", "swinv2" or "bit".
        window_size, image_size: Of SwinV2, whose masks no folder holds.
    """

    model_type: Name | None = None
    hidden_act: Name | None = None
    num_attention_heads: Count | None = None
    num_heads: Indices | None = None
    out_indices: Indices | None = None
    out_features: Names | None = None
    qkv_bias: bool | None = None
    use_absolute_position_embeddings: bool | None = None
    use_absolute_embeddings: bool | None = None
    use_relative_position_bias: bool | None = None
    use_shared_relative_position_bias: bool | None = None
    window_size: Count | None = None
    image_size: Count | None = None
    pretrained_window_sizes: Indices | None = None


# Source: transformers models/dpt/configuration_dpt.py
@dataclass(frozen=True, slots=True)
class DptConfig:
    """A config.json that transformers wrote for DPT; None: not given.

    Args:
        backbone_config: Of BEiT and SwinV2; of the convolutions in the hybrid.
        num_attention_heads, backbone_out_indices, hidden_act, qkv_bias: Of ViT, in the hybrid, too.
        neck_ignore_stages: Maps that are not reassembled.
    """

    backbone_config: BackboneConfig | None = None
    is_hybrid: bool | None = None
    hidden_act: Name | None = None
    qkv_bias: bool | None = None
    num_attention_heads: Count | None = None
    backbone_out_indices: Indices | None = None
    readout_type: Name | None = None
    reassemble_factors: Factors | None = None
    neck_ignore_stages: Indices | None = None
    add_projection: bool | None = None
    use_batch_norm_in_fusion_residual: bool | None = None
    head_in_index: int | None = None


def read_dpt_config(settings: FolderSettings) -> DptConfig:
    """Read a config.json strictly.

    Raises:
        ModelFileError: A value is wrong.
    """
    return read_known(DptConfig, dict(settings.config), name=settings.config_name)


def check_dpt_config(
    settings: FolderSettings, architecture: VitArchitecture | BeitArchitecture | HybridArchitecture | SwinArchitecture
) -> None:
    """Refuse settings that the network of the tensors does not compute.

    Its layer_norm_eps is not read: published folders say 1e-12, and the official networks have 1e-6.

    Raises:
        ModelFileError: A value is wrong, or another one is asked for.
    """
    config = read_dpt_config(settings)
    backbone = config.backbone_config or BackboneConfig()
    hybrid = isinstance(architecture, HybridArchitecture)
    asked: list[tuple[str, object, object]] = [
        ("is_hybrid", config.is_hybrid, hybrid),
        ("readout_type", config.readout_type, "project"),
        ("add_projection", config.add_projection, False),
        ("use_batch_norm_in_fusion_residual", config.use_batch_norm_in_fusion_residual, False),
        ("head_in_index", config.head_in_index, -1),
        ("neck_ignore_stages", config.neck_ignore_stages, _HYBRID_MAPS if hybrid else ()),
        ("reassemble_factors", *_factors(config, hybrid=hybrid)),
    ]
    if isinstance(architecture, VitArchitecture | HybridArchitecture):
        asked += _vit_settings(config, architecture)
    else:
        asked += backbone_settings(backbone, architecture)
    refuse_other_settings(f"{settings.folder}: config.json says", asked)


def backbone_settings(
    backbone: BackboneConfig, architecture: BeitArchitecture | SwinArchitecture
) -> list[tuple[str, object, object]]:
    """Return (name, asked value, only possible value) for the settings of BEiT or SwinV2."""
    shared = [("hidden_act", backbone.hidden_act, "gelu"), ("qkv_bias", backbone.qkv_bias, True)]
    if isinstance(architecture, SwinArchitecture):
        stages = tuple(stage + 1 for stage in STAGES)
        scaled = tuple(map(architecture.scaled_window, STAGES))
        return [
            ("backbone_config.model_type", backbone.model_type, "swinv2" if architecture.version == 2 else "swin"),
            ("num_heads", backbone.num_heads, architecture.heads),
            ("window_size", backbone.window_size, architecture.window),
            ("image_size", backbone.image_size, architecture.side_px),
            ("pretrained_window_sizes", _windows(backbone, architecture), scaled),
            ("use_absolute_embeddings", backbone.use_absolute_embeddings, False),
            ("out_features", *_taps(backbone, stages)),
            *shared,
        ]
    return [
        ("backbone_config.model_type", backbone.model_type, "beit"),
        ("num_attention_heads", backbone.num_attention_heads, architecture.heads),
        ("use_absolute_position_embeddings", backbone.use_absolute_position_embeddings, False),
        ("use_relative_position_bias", backbone.use_relative_position_bias, True),
        ("use_shared_relative_position_bias", backbone.use_shared_relative_position_bias, False),
        ("out_features", *_taps(backbone, tuple(tap + 1 for tap in architecture.taps))),
        *shared,
    ]


def _vit_settings(
    config: DptConfig, architecture: VitArchitecture | HybridArchitecture
) -> list[tuple[str, object, object]]:
    indices = config.backbone_out_indices
    taps: tuple[int, ...] = architecture.taps
    if isinstance(architecture, HybridArchitecture) and indices is not None:
        indices = indices[2:]  # the first two maps are convolutional
    return [
        ("hidden_act", config.hidden_act, "gelu"),
        ("qkv_bias", config.qkv_bias, True),
        ("num_attention_heads", config.num_attention_heads, architecture.heads),
        ("backbone_out_indices", indices, taps),
    ]


def _factors(config: DptConfig, *, hybrid: bool) -> tuple[object, object]:
    """Return the asked scales of the maps and the only possible ones, of the reassembled maps only."""
    asked = config.reassemble_factors
    if not hybrid or asked is None:
        return asked, FACTORS
    return asked[2:], FACTORS[2:]


def _taps(backbone: BackboneConfig, stages: tuple[int, ...]) -> tuple[object, object]:
    """Return the asked blocks that feed the head and the only possible ones; transformers counts from 1."""
    if backbone.out_indices is not None:
        return backbone.out_indices, stages
    return backbone.out_features, tuple(f"stage{stage}" for stage in stages)


def _windows(backbone: BackboneConfig, architecture: SwinArchitecture) -> object:
    """Return the asked windows that relative positions are scaled by; 0 means a stage's own window."""
    asked = backbone.pretrained_window_sizes
    if asked is None or len(asked) != len(STAGES):
        return asked
    return tuple(size or architecture.window_of(stage) for stage, size in zip(STAGES, asked, strict=True))


def swin_mask_shape(settings: FolderSettings) -> tuple[int, int, int] | None:
    """Return the shape of the mask that an official file of a SwinV2 network of these settings holds; None for others.

    Raises:
        ModelFileError: A value is wrong, or the sizes do not go together.
    """
    backbone = read_dpt_config(settings).backbone_config or BackboneConfig()
    if backbone.model_type != "swinv2" or backbone.window_size is None or backbone.image_size is None:
        return None
    cells, rest = divmod(backbone.image_size, 4 * backbone.window_size)
    if rest or cells < 1:
        raise ModelFileError(
            f"{settings.folder}: config.json says image_size {backbone.image_size} and window_size "
            f"{backbone.window_size}, which do not fit together; correct it or download it again"
        )
    return cells**2, backbone.window_size**2, backbone.window_size**2
