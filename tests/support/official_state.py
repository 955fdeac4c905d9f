"""Makes weights in the published layout, written down by hand so that it does not come from the code under test."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from depthrt.export.network.architecture import Architecture

State = dict[str, Tensor]

TINY = Architecture(
    width=64,
    depth=4,
    patch_px=14,
    table_side=7,
    feed_forward="mlp",
    hidden=128,
    features=16,
    reassembled=(8, 12, 16, 24),
)
# Source: model_configs in run.py of Depth-Anything-V2, and DINOv2's vision_transformer.py
REAL = {
    "vits": Architecture(384, 12, 14, 37, "mlp", 1536, 64, (48, 96, 192, 384)),
    "vitb": Architecture(768, 12, 14, 37, "mlp", 3072, 128, (96, 192, 384, 768)),
    "vitl": Architecture(1024, 24, 14, 37, "mlp", 4096, 256, (256, 512, 1024, 1024)),
    "vitg": Architecture(1536, 40, 14, 37, "swiglu", 4096, 384, (1536, 1536, 1536, 1536)),
}


def official_shapes(a: Architecture) -> dict[str, tuple[int, ...]]:
    """Write down the published layout by hand, so that it does not come from the code under test."""
    c, f = a.width, a.features
    shapes: dict[str, tuple[int, ...]] = {
        "pretrained.cls_token": (1, 1, c),
        "pretrained.pos_embed": (1, 1 + a.table_side**2, c),
        "pretrained.mask_token": (1, c),
        "pretrained.patch_embed.proj.weight": (c, 3, a.patch_px, a.patch_px),
        "pretrained.patch_embed.proj.bias": (c,),
        "pretrained.norm.weight": (c,),
        "pretrained.norm.bias": (c,),
        "depth_head.resize_layers.0.weight": (a.reassembled[0], a.reassembled[0], 4, 4),
        "depth_head.resize_layers.0.bias": (a.reassembled[0],),
        "depth_head.resize_layers.1.weight": (a.reassembled[1], a.reassembled[1], 2, 2),
        "depth_head.resize_layers.1.bias": (a.reassembled[1],),
        "depth_head.resize_layers.3.weight": (a.reassembled[3], a.reassembled[3], 3, 3),
        "depth_head.resize_layers.3.bias": (a.reassembled[3],),
    }
    wide = (("mlp.w12", 2 * a.hidden), ("mlp.w3", a.hidden)) if a.feed_forward == "swiglu" else ()
    for block in (f"pretrained.blocks.{index}" for index in range(a.depth)):
        for name, out, into in (
            ("attn.qkv", 3 * c, c),
            ("attn.proj", c, c),
            *(((wide[0][0], wide[0][1], c), (wide[1][0], c, wide[1][1])) if wide else ()),
            *(() if wide else (("mlp.fc1", a.hidden, c), ("mlp.fc2", c, a.hidden))),
        ):
            shapes |= {f"{block}.{name}.weight": (out, into), f"{block}.{name}.bias": (out,)}
        shapes |= {f"{block}.{norm}.{part}": (c,) for norm in ("norm1", "norm2") for part in ("weight", "bias")}
        shapes |= {f"{block}.{scale}.gamma": (c,) for scale in ("ls1", "ls2")}
    for level, channels in enumerate(a.reassembled):
        shapes |= {
            f"depth_head.projects.{level}.weight": (channels, c, 1, 1),
            f"depth_head.projects.{level}.bias": (channels,),
            f"depth_head.scratch.layer{level + 1}_rn.weight": (f, channels, 3, 3),
        }
        fusion = f"depth_head.scratch.refinenet{level + 1}"
        shapes |= {f"{fusion}.out_conv.weight": (f, f, 1, 1), f"{fusion}.out_conv.bias": (f,)}
        for conv in (f"{fusion}.resConfUnit{unit}.conv{number}" for unit in (1, 2) for number in (1, 2)):
            shapes |= {f"{conv}.weight": (f, f, 3, 3), f"{conv}.bias": (f,)}
    for conv, out, into, side in (
        ("output_conv1", f // 2, f, 3),
        ("output_conv2.0", 32, f // 2, 3),
        ("output_conv2.2", 1, 32, 1),
    ):
        name = f"depth_head.scratch.{conv}"
        shapes |= {f"{name}.weight": (out, into, side, side), f"{name}.bias": (out,)}
    return shapes


def state_of(architecture: Architecture, seed: int = 0) -> State:
    """Return random weights that are exact in half precision, so that every float type holds the same."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (torch.randn(shape, generator=generator) * 0.1).half().float()
        for name, shape in official_shapes(architecture).items()
    }


def hollow(architecture: Architecture) -> State:
    """Return a full-size state whose tensors share one number each, so that its file is small."""
    return {name: torch.zeros(1).expand(shape) for name, shape in official_shapes(architecture).items()}


def to_transformers(state: State, *, newer: bool = False) -> State:
    """Rename to the names of transformers by the published correspondence; newer: as its modules call them."""
    found: State = {}
    for name, tensor in state.items():
        rules = [
            (r"pretrained\.(cls_token|mask_token)", r"backbone.embeddings.\1"),
            (r"pretrained\.pos_embed", "backbone.embeddings.position_embeddings"),
            (r"pretrained\.patch_embed\.proj", "backbone.embeddings.patch_embeddings.projection"),
            (r"pretrained\.norm\.", "backbone.layernorm."),
            (r"pretrained\.blocks\.", "backbone.encoder.layer."),
            (r"ls([12])\.gamma", r"layer_scale\1.lambda1"),
            (r"attn\.proj", "attention.o_proj" if newer else "attention.output.dense"),
            (r"mlp\.w12", "mlp.weights_in"),
            (r"mlp\.w3", "mlp.down_proj" if newer else "mlp.weights_out"),
            (r"depth_head\.projects\.(\d)", r"neck.reassemble_stage.layers.\1.projection"),
            (r"depth_head\.resize_layers\.(\d)", r"neck.reassemble_stage.layers.\1.resize"),
            *((rf"depth_head\.scratch\.layer{i + 1}_rn", f"neck.convs.{i}") for i in range(4)),
            *((rf"depth_head\.scratch\.refinenet{4 - i}", f"neck.fusion_stage.layers.{i}") for i in range(4)),
            (r"out_conv", "projection"),
            (r"resConfUnit([12])\.conv([12])", r"residual_layer\1.convolution\2"),
            (r"depth_head\.scratch\.output_conv1", "head.conv1"),
            (r"depth_head\.scratch\.output_conv2\.0", "head.conv2"),
            (r"depth_head\.scratch\.output_conv2\.2", "head.conv3"),
        ]
        for pattern, theirs in rules:
            name = re.sub(pattern, theirs, name)  # noqa: PLW2901
        if "attn.qkv" in name:
            new = ("attention.q_proj", "attention.k_proj", "attention.v_proj")
            old = tuple(f"attention.attention.{part}" for part in ("query", "key", "value"))
            parts = new if newer else old
        elif "weights_in" in name and newer:
            parts = ("gate_proj", "up_proj")
        else:
            found[name] = tensor
            continue
        for part, piece in zip(parts, tensor.chunk(len(parts)), strict=True):
            found[re.sub(r"attn\.qkv|weights_in", part, name)] = piece.clone()
    return found


def tiny_config(*, backbone: Mapping[str, object] = MappingProxyType({}), **changes: object) -> dict[str, object]:
    """Return a config.json of transformers for the tiny network, with some values changed."""
    usual = {"model_type": "dinov2", "num_attention_heads": 1, "out_indices": [1, 2, 3, 4]}
    return {"model_type": "depth_anything", "backbone_config": usual | dict(backbone), **changes}


def folder_with(path: Path, config: Mapping[str, object]) -> Path:
    folder = path.parent / "folder"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return folder
