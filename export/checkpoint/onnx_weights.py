"""The weights that a model file keeps, by the name that each has there."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor


def read_onnx_weights(path: Path) -> dict[str, Tensor]:
    """Return the stored tensors of a model file that depthrt exported, by name, in their stored type."""
    return {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in onnx.load(path).graph.initializer}
