"""Tiny MiDaS networks with a Swin transformer, their files, and transformers' own classes with the same weights."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DPTConfig, DPTForDepthEstimation, SwinBackbone, SwinConfig, Swinv2Config

from depthrt.export.network.midas.swin.architecture import SwinArchitecture
from depthrt.export.network.midas.swin.midas_swin import MidasSwin, randomise

# Shifted windows in two stages, and one window in the others, as in the published networks of version 2.
TINY_SWIN2 = SwinArchitecture(
    version=2, width=8, depths=(2, 2, 1, 2), heads=(1, 2, 2, 4), side_px=128, window=8, features=8
)
TINY_SWIN = SwinArchitecture(
    version=1, width=8, depths=(2, 1, 2, 2), heads=(1, 2, 2, 4), side_px=128, window=4, features=8
)
# The window of the large networks, whose offsets are scaled by the window of an earlier training.
TINY_CONTINUED = SwinArchitecture(
    version=2, width=8, depths=(2, 2, 1, 1), heads=(2, 2, 2, 2), side_px=192, window=24, features=8
)


def random_swin(architecture: SwinArchitecture, seed: int = 0) -> MidasSwin:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = MidasSwin(architecture).eval()
    randomise(network, seed)
    return network


def official_extras(architecture: SwinArchitecture) -> dict[str, Tensor]:
    """Return what official files hold beyond the network: the classifier, masks and, in version 1, indices."""
    wide = architecture.widths[-1]
    extras = {
        "norm.weight": torch.ones(wide),
        "norm.bias": torch.zeros(wide),
        "head.weight": torch.zeros(10, wide),
        "head.bias": torch.zeros(10),
    }
    for stage, depth in enumerate(architecture.depths):
        cells = architecture.window_of(stage) ** 2
        windows = architecture.side(stage) ** 2 // cells
        for block in range(depth):
            name = f"layers.{stage}.blocks.{block}"
            if block % 2 and windows > 1:
                extras[f"{name}.attn_mask"] = torch.zeros(windows, cells, cells)
            if architecture.version == 1:
                extras[f"{name}.attn.relative_position_index"] = torch.zeros(cells, cells, dtype=torch.int64)
    return {f"pretrained.model.{name}": tensor for name, tensor in extras.items()}


def transformers_network(network: MidasSwin) -> nn.Module:
    """Return transformers' network with the same weights, in eval mode."""
    architecture = network.architecture
    options: dict[str, Any] = {
        "image_size": architecture.side_px,
        "embed_dim": architecture.width,
        "depths": architecture.depths,
        "num_heads": architecture.heads,
        "window_size": architecture.window,
        "out_features": ["stage1", "stage2", "stage3", "stage4"],
    }
    scaled = (12, 12, 12, 6) if architecture.window == 24 else (0, 0, 0, 0)  # Source: convert_dpt_swinv2_to_hf
    config = DPTConfig(
        backbone_config=Swinv2Config(**options, pretrained_window_sizes=scaled),
        neck_hidden_sizes=list(architecture.widths),
        fusion_hidden_size=architecture.features,
    )
    witness: Any = DPTForDepthEstimation(config)
    renamed = {
        name: tensor
        for key, value in network.state_dict().items()
        for name, tensor in _renamed(key, value, architecture.version)
    }
    if architecture.version == 1:  # DPT's layers for version 2 serve version 1: no norms of maps, no other sizes
        backbone: Any = SwinBackbone(SwinConfig(**options))
        for stage in backbone.hidden_states_norms:
            backbone.hidden_states_norms[stage] = nn.Identity()
        for number, stage in enumerate(backbone.swin.encoder.layers):  # it shifts single windows, too, unlike timm
            if architecture.side(number) <= architecture.window:
                for block in stage.blocks:
                    block.shift_size = 0
        witness.backbone = backbone
        renamed = {name.replace("backbone.", "backbone.swin.", 1): value for name, value in renamed.items()}
    found = witness.load_state_dict(renamed, strict=False)
    assert not found.unexpected_keys and {key.rpartition(".")[0] for key in found.missing_keys} <= {
        "backbone.layernorm", "backbone.swin.layernorm", "backbone.swinv2.layernorm"
    }, found  # fmt: skip
    eager: nn.Module = witness.eval()
    return eager


_RULES = (
    (r"pretrained\.model\.layers", "backbone.encoder.layers"),
    (r"pretrained\.model\.patch_embed\.proj", "backbone.embeddings.patch_embeddings.projection"),
    (r"pretrained\.model\.patch_embed\.norm", "backbone.embeddings.norm"),
    (r"(blocks\.\d+)\.norm1", r"\1.layernorm_before"),
    (r"(blocks\.\d+)\.norm2", r"\1.layernorm_after"),
    *((rf"scratch\.layer{level}_rn", f"neck.convs.{level - 1}") for level in (1, 2, 3, 4)),
    *((rf"scratch\.refinenet{level}", f"neck.fusion_stage.layers.{4 - level}") for level in (1, 2, 3, 4)),
    (r"resConfUnit(\d)\.conv(\d)", r"residual_layer\1.convolution\2"),
    (r"out_conv", "projection"),
    (r"scratch\.output_conv", "head.head"),
)
_RULES_1 = (
    (r"attn\.relative_position_bias_table", "attention.relative_position_bias.relative_position_bias_table"),
    (r"attn\.proj", "attention.o_proj"),
)
_PARTS_1 = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
_RULES_2 = (
    (r"attn\.logit_scale", "attention.self.logit_scale"),
    (r"attn\.cpb_mlp", "attention.self.continuous_position_bias_mlp"),
    (r"attn\.q_bias", "attention.self.query.bias"),
    (r"attn\.v_bias", "attention.self.value.bias"),
    (r"attn\.proj", "attention.output.dense"),
    (r"(blocks\.\d+)\.mlp\.fc1", r"\1.intermediate.dense"),
    (r"(blocks\.\d+)\.mlp\.fc2", r"\1.output.dense"),
)
_PARTS_2 = ("attention.self.query", "attention.self.key", "attention.self.value")


def _renamed(key: str, value: Tensor, version: int) -> list[tuple[str, Tensor]]:
    """Return a tensor under its name in transformers, or its three parts."""
    for pattern, theirs in (*_RULES, *(_RULES_1 if version == 1 else _RULES_2)):
        key = re.sub(pattern, theirs, key)
    if "attn.qkv" not in key:
        return [(key, value)]
    parts = zip(_PARTS_1 if version == 1 else _PARTS_2, value.chunk(3), strict=True)
    return [(key.replace("attn.qkv", part), piece) for part, piece in parts]
