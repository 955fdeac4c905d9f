"""transformers' networks with the weights of one of ours: an independent witness for BEiT, and for square ViT."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BeitConfig, DPTConfig, DPTForDepthEstimation

from depthrt.export.network.midas.architecture import BeitArchitecture, VitArchitecture
from depthrt.export.network.midas.network import Midas

# Official names and those of transformers 5, in order; the numbers of fusions run the other way.
_NAMES = (
    (r"pretrained\.model\.(cls_token)", r"{embeddings}\1"),
    (r"pretrained\.model\.pos_embed", r"{embeddings}position_embeddings"),
    (r"pretrained\.model\.patch_embed\.proj\.", r"{embeddings}patch_embeddings.projection."),
    (r"pretrained\.model\.blocks\.", r"{blocks}"),
    (r"(\.layers\.\d+)\.gamma_", r"\1.lambda_"),
    (r"attn\.(relative_position_bias_table)", r"relative_position_bias.\1"),
    (r"attn\.proj\.", r"{projection}"),
    (r"norm1\.", r"layernorm_before."),
    (r"norm2\.", r"layernorm_after."),
    (r"(layer\.\d+)\.mlp\.fc1\.", r"\1.intermediate.dense."),
    (r"(layer\.\d+)\.mlp\.fc2\.", r"\1.output.dense."),
)
_BEIT = {
    "embeddings": "backbone.beit.embeddings.",
    "blocks": "backbone.beit.layers.",
    "projection": "attention.o_proj.",
    "parts": ("attention.q_proj.", "attention.k_proj.", "attention.v_proj."),
}
_VIT = {
    "embeddings": "dpt.embeddings.",
    "blocks": "dpt.encoder.layer.",
    "projection": "attention.output.dense.",
    "parts": ("attention.attention.query.", "attention.attention.key.", "attention.attention.value."),
}


def transformers_network(network: Midas) -> DPTForDepthEstimation:
    """Return transformers' network with the weights of `network`, in eval mode and in the same dtype."""
    architecture = network.architecture
    assert isinstance(architecture, BeitArchitecture | VitArchitecture)
    with torch.device("meta"):
        witness: DPTForDepthEstimation = DPTForDepthEstimation(_config(architecture))
    # What a file does not hold: indices, and the norm behind the last block of ViT, which nothing reads.
    nn.Module.to(witness.to_empty(device="cpu"), next(network.parameters()).dtype)
    state = hub_state(network)
    missing, unexpected = witness.load_state_dict(state, strict=False)
    assert not unexpected
    assert set(missing) <= {"dpt.layernorm.weight", "dpt.layernorm.bias"}
    nn.Module.eval(witness)
    return witness


def witness_answer(witness: DPTForDepthEstimation, batch: Tensor) -> Tensor:
    """Return the depth (N, h, w) of a batch."""
    with torch.inference_mode():
        depth: Tensor = witness(batch).predicted_depth
    return depth


def hub_state(network: Midas) -> dict[str, Tensor]:
    """Return the weights of a network under the names of transformers 5."""
    terms = _BEIT if isinstance(network.architecture, BeitArchitecture) else _VIT
    found: dict[str, Tensor] = {}
    for official, tensor in network.state_dict().items():
        name = official
        for pattern, theirs in _NAMES:
            name = re.sub(pattern, theirs.format(**terms), name)
        if match := re.fullmatch(r"(.*)attn\.(q_bias|v_bias|qkv\.weight|qkv\.bias)", name):
            block, part = match.groups()
            query, key, value = (f"{block}{projection}" for projection in terms["parts"])
            if part.startswith("qkv"):
                kind = part.removeprefix("qkv.")
                parts = tensor.chunk(3)
                found |= {f"{query}{kind}": parts[0], f"{key}{kind}": parts[1], f"{value}{kind}": parts[2]}
            else:
                found[f"{query if part == 'q_bias' else value}bias"] = tensor
        else:
            found[_head_name(name)] = tensor
    return found


def _config(architecture: BeitArchitecture | VitArchitecture) -> DPTConfig:
    sizes: dict[str, Any] = {
        "image_size": architecture.table_side * 16,
        "num_hidden_layers": architecture.depth,
        "hidden_size": architecture.width,
        "intermediate_size": architecture.hidden,
        "num_attention_heads": architecture.heads,
        "layer_norm_eps": 1e-6,
    }
    head: dict[str, Any] = {
        "neck_hidden_sizes": list(architecture.reassembled),
        "fusion_hidden_size": architecture.features,
    }
    if isinstance(architecture, VitArchitecture):
        return DPTConfig(**sizes, **head, backbone_out_indices=list(architecture.taps))
    sizes["out_features"] = [f"stage{block + 1}" for block in architecture.taps]
    backbone = BeitConfig(**sizes, use_relative_position_bias=True, reshape_hidden_states=False)
    return DPTConfig(**head, backbone_config=backbone)


def _head_name(name: str) -> str:
    name = re.sub(r"scratch\.layer(\d)_rn", lambda match: f"neck.convs.{int(match[1]) - 1}", name)
    name = re.sub(r"scratch\.refinenet(\d)", lambda match: f"neck.fusion_stage.layers.{4 - int(match[1])}", name)
    name = re.sub(r"resConfUnit(\d)\.conv(\d)", r"residual_layer\1.convolution\2", name)
    name = name.replace("out_conv.", "projection.").replace("scratch.output_conv.", "head.head.")
    match = re.fullmatch(r"pretrained\.act_postprocess(\d)\.(0\.project\.0|3|4)\.(\w+)", name)
    if match is None:
        return name
    stage, level = "neck.reassemble_stage", int(match[1]) - 1
    if match[2].startswith("0"):
        return f"{stage}.readout_projects.{level}.0.{match[3]}"
    return f"{stage}.layers.{level}.{'projection' if match[2] == '3' else 'resize'}.{match[3]}"
