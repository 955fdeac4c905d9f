"""A checkpoint exported by a single call of torch.onnx.export, as most people do, so that its graph can be measured.

A folder of Hugging Face is exported with the network of transformers, as its users do; a single file with depthrt's
network, since no other code for it is installed.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ...engine.images.limits import Limits
from ...engine.model.depth_model import DepthModel
from ...engine.modelfile.contract import Contract
from ...engine.modelfile.model_file import as_model_file
from ...engine.runners.choice import Choice
from ...engine.runners.open_runner import open_runner
from ...engine.system.process.quiet import errors_only
from ...engine.terms import INPUT, OUTPUT
from ...export.checkpoint.checkpoint import load_network
from .checkpoint_options import CheckpointOptions
from .torch_runner import torch_contract

OPSET = 18  # has no single ops for Gelu and Attention: both become many nodes


def write_naive(checkpoint_path: Path, options: CheckpointOptions, file: Path) -> Contract:
    """Export a checkpoint with torch.onnx.export, for one image of one size.

    Args:
        checkpoint_path: The checkpoint.
        options: How it is read, with the size (H, W).
        file: To write.

    Returns:
        The contract of depthrt's export, without a canary.
    """
    checkpoint = options.read(checkpoint_path)
    contract = torch_contract(checkpoint, options.size, "fp32")
    with errors_only("torch.onnx"), torch.inference_mode():
        torch.onnx.export(
            _transformers_network(checkpoint_path) if checkpoint_path.is_dir() else load_network(checkpoint).eval(),
            (torch.zeros(1, 3, *contract.size.base_px),),
            file,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
            verbose=False,
        )
    return contract


def open_naive(file: Path, contract: Contract, choice: Choice) -> DepthModel:
    """Open a file of write_naive; without a canary, only its measured drift shows whether it is right."""
    runner = open_runner(as_model_file(file, contract), device="cpu", threads=choice.threads, choice=choice)
    return DepthModel(runner, contract, limits=Limits())


class _PredictedDepth(nn.Module):
    """The network of transformers as a function from an image to a depth tensor."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        depth: torch.Tensor = self.network(pixel_values=image).predicted_depth
        return depth


def _transformers_network(folder: Path) -> nn.Module:
    from transformers import AutoModelForDepthEstimation

    return _PredictedDepth(AutoModelForDepthEstimation.from_pretrained(folder, local_files_only=True)).eval()
