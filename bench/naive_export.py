"""A checkpoint's network exported as others do, one call of torch.onnx.export, so that its graph can be measured."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch

from ..engine.choice import Choice
from ..engine.contract import Contract
from ..engine.image import Limits
from ..engine.model import DepthModel
from ..engine.ort_runner import INPUT, OUTPUT
from ..engine.runner import open_runner
from ..export.checkpoint import load_network
from .checkpoint_options import CheckpointOptions
from .torch_runner import torch_contract

OPSET = 18  # before Gelu and Attention were single ops: both are written out


def write_naive(checkpoint_path: Path, options: CheckpointOptions, file: Path) -> Contract:
    """Write a checkpoint's network as torch.onnx.export makes it by itself, for one image of one size.

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
            load_network(checkpoint).eval(),
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
    runner = open_runner(file, contract, device="cpu", threads=choice.threads, choice=choice)
    return DepthModel(runner, contract, limits=Limits())
