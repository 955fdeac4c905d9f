"""The model that comes with depthrt, turned back into a checkpoint that can be trained on."""

from __future__ import annotations

from pathlib import Path

import torch

from ..engine.modelfile.shipped import DEFAULT, model_path
from ..export.checkpoint.checkpoint import save_checkpoint
from ..export.checkpoint.onnx_weights import read_onnx_weights
from ..export.network.conv_depth import ConvDepth
from .default_model import ARCHITECTURE, LICENCE

_UNUSED = "depth_head.scratch.refinenet4.resConfUnit1."  # every checkpoint has it, and no answer depends on it


def write_shipped_checkpoint(path: Path) -> Path:
    """Write the weights of engine/modelfile/default.onnx, in float16 as there; `path` ends with .safetensors."""
    network = ConvDepth(ARCHITECTURE)
    stored = {
        name.removeprefix("network.").removesuffix(".half"): tensor
        for name, tensor in read_onnx_weights(model_path(DEFAULT)).items()
    }
    for name, value in network.state_dict().items():
        value.copy_(torch.zeros_like(value) if name.startswith(_UNUSED) else stored[name])
    save_checkpoint(path, network.half(), family="depthrt", kind="inverse", max_depth_m=None, licence=LICENCE)
    return path
