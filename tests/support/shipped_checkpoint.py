"""The model that comes with depthrt, turned back into the checkpoint that it was exported from."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from depthrt.engine.modelfile.shipped import model_path
from depthrt.export.checkpoint.checkpoint import save_checkpoint
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.finetune.default_model import ARCHITECTURE

UNUSED = "depth_head.scratch.refinenet4.resConfUnit1."  # every checkpoint has it, and no answer depends on it


def write_shipped_checkpoint(path: Path) -> Path:
    """Write the weights of engine/modelfile/default.onnx; `path` ends with .safetensors."""
    network = ConvDepth(ARCHITECTURE)
    stored = {
        tensor.name.removeprefix("network.").removesuffix(".half"): numpy_helper.to_array(tensor)
        for tensor in onnx.load(model_path("default")).graph.initializer
    }
    for name, value in network.state_dict().items():
        value.copy_(torch.zeros_like(value) if name.startswith(UNUSED) else torch.tensor(stored[name]))
    save_checkpoint(path, network.half(), family="depthrt", kind="inverse", max_depth_m=None)
    return path
