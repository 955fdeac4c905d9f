"""A checkpoint exported as others do, one call of torch.onnx.export, so that its graph can be measured.

A folder of Hugging Face is exported with transformers' own network, which is what its users ship; a single file
with depthrt's, since no other code for it is installed.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch
from torch import nn

from ...engine.images.limits import Limits
from ...engine.model.depth_model import DepthModel
from ...engine.modelfile.contract import Contract
from ...engine.modelfile.model_file import as_model_file
from ...engine.runners.choice import Choice
from ...engine.runners.open_runner import open_runner
from ...engine.terms import INPUT, OUTPUT
from ...export.checkpoint.checkpoint import load_network
from .checkpoint_options import CheckpointOptions
from .torch_runner import torch_contract

OPSET = 18  # before Gelu and Attention were single ops: both are written out


def write_naive(checkpoint_path: Path, options: CheckpointOptions, file: Path) -> Contract:
    """Write a checkpoint as torch.onnx.export makes it by itself, for one image of one size.

    Args:
        checkpoint_path: What is exported.
        options: How it is read; its size is (H, W).
        file: To write.

    Returns:
        The contract that depthrt's own export would have, without a canary.
    """
    checkpoint = options.read(checkpoint_path)
    contract = torch_contract(checkpoint, options.size, "fp32")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
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
    """Open what write_naive wrote; nothing proves that it answers rightly but the drift that is measured."""
    runner = open_runner(as_model_file(file, contract), device="cpu", threads=choice.threads, choice=choice)
    return DepthModel(runner, contract, limits=Limits())


class _PredictedDepth(nn.Module):
    """The network of transformers as a function of the image alone, with the depth alone as its answer."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        depth: torch.Tensor = self.network(pixel_values=image).predicted_depth
        return depth


def _transformers_network(folder: Path) -> nn.Module:
    from transformers import AutoModelForDepthEstimation

    return _PredictedDepth(AutoModelForDepthEstimation.from_pretrained(folder, local_files_only=True)).eval()
