"""Depth Anything's tensors under the names of transformers become tensors under the official names.

Source: transformers convert_depth_anything_to_hf.py and conversion_mapping.py (Dinov2Model).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ....engine.errors import ModelFileError
from ...checkpoint.torch_file.stored import check_held

MOST_JOINED = 1 << 20  # values of a joined matrix for which the file holds no number

_BLOCK = r"^backbone\.(?:encoder\.)?layers?\.(\d+)\."

# Official names on the right. If names differ between releases of transformers, both are matched.
_RENAMES = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"^backbone\.embeddings\.(cls_token|mask_token)$", r"pretrained.\1"),
        (r"^backbone\.embeddings\.position_embeddings$", "pretrained.pos_embed"),
        (r"^backbone\.embeddings\.patch_embeddings\.projection\.", "pretrained.patch_embed.proj."),
        (r"^backbone\.layernorm\.", "pretrained.norm."),
        (_BLOCK + r"(norm[12])\.", r"pretrained.blocks.\1.\2."),
        (_BLOCK + r"layer_scale([12])\.lambda1$", r"pretrained.blocks.\1.ls\2.gamma"),
        (_BLOCK + r"attention\.(?:output\.dense|o_proj)\.", r"pretrained.blocks.\1.attn.proj."),
        (_BLOCK + r"mlp\.(fc[12])\.", r"pretrained.blocks.\1.mlp.\2."),
        (_BLOCK + r"mlp\.weights_in\.", r"pretrained.blocks.\1.mlp.w12."),
        (_BLOCK + r"mlp\.(?:weights_out|down_proj)\.", r"pretrained.blocks.\1.mlp.w3."),
        (r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"depth_head.projects.\1."),
        (r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"depth_head.resize_layers.\1."),
        (r"^head\.conv1\.", "depth_head.scratch.output_conv1."),
        (r"^head\.conv2\.", "depth_head.scratch.output_conv2.0."),
        (r"^head\.conv3\.", "depth_head.scratch.output_conv2.2."),
    )
)
_CONV = re.compile(r"^neck\.convs\.(\d)\.")
_FUSION = re.compile(r"^neck\.fusion_stage\.layers\.([0-3])\.(.*)$")
_FUSION_PARTS = (("projection.", "out_conv."), ("residual_layer", "resConfUnit"), ("convolution", "conv"))
# Matrices that the official file joins, in the order of its rows.
_JOINED = (
    (
        re.compile(_BLOCK + r"attention\.(?:attention\.)?(query|key|value|[qkv]_proj)\.(weight|bias)$"),
        "attn.qkv",
        "qkv",
    ),
    (re.compile(_BLOCK + r"mlp\.(gate|up)_proj\.(weight|bias)$"), "mlp.w12", "gu"),
)


def to_official_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename tensors of transformers; official names and unknown ones stay as they are.

    Raises:
        ModelFileError: A query, key or value is missing, or two tensors get the same name.
    """
    official: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        joined = _joined(name)
        if joined is not None:
            matrix, letter = joined
            parts.setdefault(matrix, {})[letter] = tensor
            continue
        renamed = _rename(name)
        if renamed in official:
            raise ModelFileError(
                f"{renamed} is there twice, under names of two releases of transformers; save it again"
            )
        official[renamed] = tensor
    for matrix, pieces in parts.items():
        official[matrix] = _join(matrix, pieces)
    return official


def _joined(name: str) -> tuple[str, str] | None:
    """Return (official name of the joined matrix, letter of this part), or None for a tensor that is not a part."""
    for pattern, target, letters in _JOINED:
        match = pattern.match(name)
        if match:
            block, part, suffix = match.groups()
            assert part[0] in letters
            return f"pretrained.blocks.{block}.{target}.{suffix}", part[0]
    return None


def _join(matrix: str, pieces: Mapping[str, Tensor]) -> Tensor:
    letters = next(letters for _, target, letters in _JOINED if f".{target}." in matrix)
    missing = [letter for letter in letters if letter not in pieces]
    if missing:
        raise ModelFileError(f"{matrix} needs the parts {', '.join(letters)}, {', '.join(missing)} is missing")
    parts = [pieces[letter] for letter in letters]
    try:
        check_held(parts, MOST_JOINED)
    except ModelFileError as error:
        raise ModelFileError(f"{matrix} {error}") from error
    return torch.cat(parts)


def _rename(name: str) -> str:
    conv = _CONV.match(name)
    if conv:
        return f"depth_head.scratch.layer{int(conv[1]) + 1}_rn.{name[conv.end() :]}"
    fusion = _FUSION.match(name)
    if fusion:
        rest = fusion[2]
        for theirs, ours in _FUSION_PARTS:
            rest = rest.replace(theirs, ours)
        return f"depth_head.scratch.refinenet{4 - int(fusion[1])}.{rest}"
    for pattern, ours in _RENAMES:
        renamed, count = pattern.subn(ours, name)
        if count:
            return renamed
    return name
