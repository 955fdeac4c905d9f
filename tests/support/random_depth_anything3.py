"""Tiny Depth Anything 3 networks with seeded random weights, and the files that hold them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import save_file
from tiny_model import TinyModel

from depthrt.engine.terms import Kind
from depthrt.export.network.depth_anything3.architecture import Da3Architecture
from depthrt.export.network.depth_anything3.network import DepthAnything3
from depthrt.export.network.depth_anything3.randomise import randomise

State = dict[str, torch.Tensor]

TINY_SKY = Da3Architecture(64, 4, 14, 5, "mlp", 64, 16, (16, 16, 16, 16))
TINY_ANY_VIEW = Da3Architecture(64, 6, 14, 5, "mlp", 64, 16, (16, 16, 16, 16), turned_from=2)
TINY_GATED = Da3Architecture(64, 6, 14, 5, "swiglu", 64, 16, (16, 16, 16, 16), turned_from=3)


def random_da3(architecture: Da3Architecture, *, seed: int = 0) -> DepthAnything3:
    """Return a network whose random weights answer with variation, in eval mode."""
    network = DepthAnything3(architecture).eval()
    randomise(network, seed)
    return network


@cache
def shared_da3(architecture: Da3Architecture) -> DepthAnything3:
    """Return a tiny network that several tests share; not to be changed."""
    return random_da3(architecture)


def official_state(network: DepthAnything3) -> State:
    """Return what an official file holds; in one for any number of views also heads for cameras and rays."""
    state = {f"model.{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    if network.has_sky:
        return state
    others = ("cam_enc.token_norm.weight", "cam_dec.fc_t.weight", "head.scratch.refinenet1_aux.out_conv.weight")
    return state | {f"model.{name}": torch.ones(3) for name in others}


def comfy_state(network: DepthAnything3) -> State:
    """Return what ComfyUI's file holds: the encoder under the names of transformers."""
    state: State = {}
    for name, tensor in official_state(network).items():
        renamed = name
        for official, theirs in (
            (r"backbone\.pretrained\.patch_embed\.proj", "backbone.embeddings.patch_embeddings.projection"),
            (r"backbone\.pretrained\.pos_embed", "backbone.embeddings.position_embeddings"),
            (r"backbone\.pretrained\.(cls_token|camera_token)", r"backbone.embeddings.\1"),
            (r"backbone\.pretrained\.norm", "backbone.layernorm"),
            (r"backbone\.pretrained\.blocks", "backbone.encoder.layer"),
            (r"\.ls([12])\.gamma", r".layer_scale\1.lambda1"),
            (r"\.attn\.proj", ".attention.output.dense"),
            (r"\.attn\.([qk]_norm)", r".attention.\1"),
            (r"\.mlp\.w12", ".mlp.weights_in"),
            (r"\.mlp\.w3", ".mlp.weights_out"),
        ):
            renamed = re.sub(official, theirs, renamed)
        if ".attn.qkv." not in renamed:
            state[renamed] = tensor
            continue
        for part, rows in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
            state[renamed.replace(".attn.qkv.", f".attention.attention.{part}.")] = rows.contiguous()
    return state


def write_folder(folder: Path, network: DepthAnything3, *, model_name: str, **net: object) -> Path:
    """Write an official folder: model.safetensors and config.json, with settings of the encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(official_state(network), folder / "model.safetensors")
    config = {"net": {"out_layers": list(network.architecture.taps), **net}, "head": {"__object__": {"name": "DPT"}}}
    (folder / "config.json").write_text(json.dumps({"config": config, "model_name": model_name}))
    return folder


def write_comfy(path: Path, network: DepthAnything3) -> Path:
    """Write ComfyUI's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(comfy_state(network), path)
    return path


def export_da3(architecture: Da3Architecture, folder: Path, *, kind: Kind, size: int) -> TinyModel:
    """Write a tiny network as an official folder and export it."""
    from depthrt.export.checkpoint.checkpoint import read_checkpoint
    from depthrt.export.to_onnx import export_onnx

    network = shared_da3(architecture)
    checkpoint = write_folder(folder / "mine", network, model_name="da3-mine")
    export_onnx(read_checkpoint(checkpoint, kind=kind), folder / "da3.onnx", size=size)
    return TinyModel(checkpoint, folder / "da3.onnx", dict(network.state_dict()))
