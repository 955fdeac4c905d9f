"""The names of transformers for Depth Anything's tensors.

Source: transformers convert_depth_anything_to_hf.py and conversion_mapping.py (Dinov2Model).
"""

from __future__ import annotations

from .dpt_names import fusion_names
from .renaming import make_name_map

_BLOCK = r"^backbone\.(?:encoder\.)?layers?\.(\d+)\."
_BLOCKS = r"pretrained.blocks.\1."

# Official names on the right. If names differ between releases of transformers, both are matched.
DEPTH_ANYTHING_NAMES = make_name_map(
    {
        _BLOCK + r"attention\.(?:attention\.)?(?P<part>query|key|value|[qkv]_proj)\.(weight|bias)": (
            _BLOCKS + r"attn.qkv.\3",
            "qkv",
        ),
        _BLOCK + r"mlp\.(?P<part>gate|up)_proj\.(weight|bias)": (_BLOCKS + r"mlp.w12.\3", "gu"),
    },
    {
        r"^backbone\.embeddings\.(cls_token|mask_token)$": r"pretrained.\1",
        r"^backbone\.embeddings\.position_embeddings$": "pretrained.pos_embed",
        r"^backbone\.embeddings\.patch_embeddings\.projection\.": "pretrained.patch_embed.proj.",
        r"^backbone\.layernorm\.": "pretrained.norm.",
        _BLOCK + r"(norm[12])\.": _BLOCKS + r"\2.",
        _BLOCK + r"layer_scale([12])\.lambda1$": _BLOCKS + r"ls\2.gamma",
        _BLOCK + r"attention\.(?:output\.dense|o_proj)\.": _BLOCKS + "attn.proj.",
        _BLOCK + r"mlp\.(fc[12])\.": _BLOCKS + r"mlp.\2.",
        _BLOCK + r"mlp\.weights_in\.": _BLOCKS + "mlp.w12.",
        _BLOCK + r"mlp\.(?:weights_out|down_proj)\.": _BLOCKS + "mlp.w3.",
        r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.": r"depth_head.projects.\1.",
        r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.": r"depth_head.resize_layers.\1.",
        r"^head\.conv1\.": "depth_head.scratch.output_conv1.",
        r"^head\.conv2\.": "depth_head.scratch.output_conv2.0.",
        r"^head\.conv3\.": "depth_head.scratch.output_conv2.2.",
        **fusion_names("depth_head.scratch."),
    },
)
