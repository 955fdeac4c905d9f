"""The names of transformers for the tensors of MiDaS: DPT with ViT, BEiT, SwinV2 or the hybrid encoder.

Source: transformers convert_dpt_beit_to_hf.py, convert_dpt_swinv2_to_hf.py, convert_dpt_hybrid_to_pytorch.py,
convert_dpt_to_pytorch.py and conversion_mapping.py (BeitModel).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .renaming import Replacement, make_name_map

_VIT = r"^dpt\.encoder\.layer\.(\d+)\."
_BEIT = r"^backbone\.(?:beit\.)?(?:encoder\.)?layers?\.(\d+)\."
_SWIN = r"^backbone\.(?:swinv2\.)?encoder\.layers\.(\d+)\.blocks\.(\d+)\."
_CNN = r"^dpt\.embeddings\.backbone\.bit\."
_MODEL = "pretrained.model."
_QKV = r"(?P<part>query|key|value|[qkv]_proj)"


def fusion_names(scratch: str) -> Mapping[str, Replacement]:
    """Return the names of the head's convolutions and fusions, whose numbers run the other way in transformers.

    Args:
        scratch: Official name of the module that holds them, with a dot.
    """

    def fusion(match: re.Match[str]) -> str:
        rest = match[2].replace("projection.", "out_conv.").replace("residual_layer", "resConfUnit")
        return f"{scratch}refinenet{4 - int(match[1])}.{rest.replace('convolution', 'conv')}"

    return {
        r"^neck\.convs\.(\d)\.": lambda match: f"{scratch}layer{int(match[1]) + 1}_rn.",
        r"^neck\.fusion_stage\.layers\.([0-3])\.(.*)$": fusion,
    }


def dpt_names(prefix: str = "") -> tuple[dict[str, tuple[str, str]], dict[str, Replacement]]:
    """Return the names of a DPT network, as make_name_map takes them.

    Args:
        prefix: Stands before each official name, with a dot.
    """
    model, post = prefix + _MODEL, prefix + "pretrained.act_postprocess"
    block, stage = model + r"blocks.\1.", model + r"layers.\1.blocks.\2."
    joined = {
        _VIT + rf"attention\.(?:attention\.)?{_QKV}\.(weight|bias)": (block + r"attn.qkv.\3", "qkv"),
        _BEIT + rf"attention\.(?:attention\.)?{_QKV}\.weight": (block + "attn.qkv.weight", "qkv"),
        _SWIN + rf"attention\.(?:self\.)?{_QKV}\.weight": (stage + "attn.qkv.weight", "qkv"),
    }
    renames: dict[str, Replacement] = {
        r"^(?:dpt|backbone(?:\.beit)?)\.embeddings\.cls_token$": model + "cls_token",
        r"^dpt\.embeddings\.position_embeddings$": model + "pos_embed",
        r"^(?:dpt|backbone(?:\.beit|\.swinv2)?)\.embeddings\.patch_embeddings\.projection\.": model
        + "patch_embed.proj.",
        r"^dpt\.layernorm\.": model + "norm.",
        r"^backbone\.(?:swinv2\.)?embeddings\.norm\.": model + "patch_embed.norm.",
        **_block_names(_VIT, block),
        **_block_names(_BEIT, block),
        **_block_names(_SWIN, stage),
        r"^backbone\.(?:swinv2\.)?encoder\.layers\.(\d+)\.downsample\.": model + r"layers.\1.downsample.",
        _CNN + r"embedder\.convolution\.": model + "patch_embed.backbone.stem.conv.",
        _CNN + r"embedder\.norm\.": model + "patch_embed.backbone.stem.norm.",
        _CNN + r"encoder\.stages\.(\d)\.layers\.(\d+)\.": model + r"patch_embed.backbone.stages.\1.blocks.\2.",
        r"^dpt\.embeddings\.projection\.": model + "patch_embed.proj.",
        r"^neck\.reassemble_stage\.readout_projects\.(\d)\.0\.": lambda match: (
            f"{post}{int(match[1]) + 1}.0.project.0."
        ),
        r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.": lambda match: f"{post}{int(match[1]) + 1}.3.",
        r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.": lambda match: f"{post}{int(match[1]) + 1}.4.",
        r"^head\.head\.(\d)\.": prefix + r"scratch.output_conv.\1.",
        **fusion_names(prefix + "scratch."),
    }
    return joined, renames


def _block_names(theirs: str, ours: str) -> dict[str, Replacement]:
    """Return the names inside a block of a transformer; BEiT and SwinV2 have no bias of keys."""
    bias = r"attention\.(?:attention\.|self\.)?(?:relative_position_bias\.)?"
    return {
        theirs + r"layernorm_before\.": ours + "norm1.",
        theirs + r"layernorm_after\.": ours + "norm2.",
        theirs + r"lambda_(?P<gain>[12])$": ours + r"gamma_\g<gain>",
        theirs + r"(?:intermediate\.dense|mlp\.fc1)\.": ours + "mlp.fc1.",
        theirs + r"(?:output\.dense|mlp\.fc2)\.": ours + "mlp.fc2.",
        theirs + r"attention\.(?:output\.dense|o_proj)\.": ours + "attn.proj.",
        theirs + r"attention\.(?:attention\.|self\.)?(?:query|q_proj)\.bias$": ours + "attn.q_bias",
        theirs + r"attention\.(?:attention\.|self\.)?(?:value|v_proj)\.bias$": ours + "attn.v_bias",
        theirs + rf"(?:{bias}|relative_position_bias\.)relative_position_bias_table$": ours
        + "attn.relative_position_bias_table",
        theirs + r"attention\.(?:self\.)?logit_scale$": ours + "attn.logit_scale",
        theirs + r"attention\.(?:self\.)?continuous_position_bias_mlp\.": ours + "attn.cpb_mlp.",
    }


DPT_NAMES = make_name_map(*dpt_names())
