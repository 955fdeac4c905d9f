"""The names of transformers for Depth Anything's tensors.

Source: transformers convert_depth_anything_to_hf.py and conversion_mapping.py (Dinov2Model).
"""

from __future__ import annotations

from .dpt import fusion_names
from .renaming import Replacement, make_name_map

BLOCK = r"^backbone\.(?:encoder\.)?layers?\.(\d+)\."


def dinov2_names(encoder: str) -> tuple[dict[str, tuple[str, str]], dict[str, Replacement]]:
    """Return the names of a DINOv2 encoder, as make_name_map takes them; if they differ between releases, both.

    Args:
        encoder: Official name of the encoder, with a dot.
    """
    blocks = encoder + r"blocks.\1."
    joined = {
        BLOCK + r"attention\.(?:attention\.)?(?P<part>query|key|value|[qkv]_proj)\.(weight|bias)": (
            blocks + r"attn.qkv.\3",
            "qkv",
        ),
        BLOCK + r"mlp\.(?P<part>gate|up)_proj\.(weight|bias)": (blocks + r"mlp.w12.\3", "gu"),
    }
    renames: dict[str, Replacement] = {
        r"^backbone\.embeddings\.(cls_token|mask_token)$": encoder + r"\1",
        r"^backbone\.embeddings\.position_embeddings$": encoder + "pos_embed",
        r"^backbone\.embeddings\.patch_embeddings\.projection\.": encoder + "patch_embed.proj.",
        r"^backbone\.layernorm\.": encoder + "norm.",
        BLOCK + r"(norm[12])\.": blocks + r"\2.",
        BLOCK + r"layer_scale([12])\.lambda1$": blocks + r"ls\2.gamma",
        BLOCK + r"attention\.(?:output\.dense|o_proj)\.": blocks + "attn.proj.",
        BLOCK + r"mlp\.(fc[12])\.": blocks + r"mlp.\2.",
        BLOCK + r"mlp\.weights_in\.": blocks + "mlp.w12.",
        BLOCK + r"mlp\.(?:weights_out|down_proj)\.": blocks + "mlp.w3.",
    }
    return joined, renames


_joined, _renames = dinov2_names("pretrained.")

DEPTH_ANYTHING_NAMES = make_name_map(
    _joined,
    {
        **_renames,
        r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.": r"depth_head.projects.\1.",
        r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.": r"depth_head.resize_layers.\1.",
        r"^head\.conv1\.": "depth_head.scratch.output_conv1.",
        r"^head\.conv2\.": "depth_head.scratch.output_conv2.0.",
        r"^head\.conv3\.": "depth_head.scratch.output_conv2.2.",
        **fusion_names("depth_head.scratch."),
    },
)
