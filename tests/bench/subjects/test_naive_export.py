"""The export that most people make, beside which depthrt is measured."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from tiny_model import TinyModel
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

import depthrt
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.bench.subjects.naive_export import open_naive, write_naive
from depthrt.bench.subjects.torch_runner import TorchForm, open_torch
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.runners.choice import Choice

SIZE = (98, 126)
TOLERANCE = 1e-4  # of the range: the bar for float32


def test_a_folder_of_transformers_is_exported_with_its_own_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone = Dinov2Config(  # type: ignore[call-arg]
        hidden_size=64, num_hidden_layers=4, num_attention_heads=1, mlp_ratio=2, image_size=70, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False,
    )  # fmt: skip
    theirs = DepthAnythingForDepthEstimation(
        DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=64,
            neck_hidden_sizes=[8, 12, 16, 24],
            fusion_hidden_size=16,
        )
    )
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.05)
        theirs.get_parameter("head.conv3.bias").fill_(1)  # above the last ReLU
    theirs.save_pretrained(tmp_path / "saved")
    options = CheckpointOptions(
        (70, 70), "depth-anything-v2"
    )  # the table's own grid, where transformers does not resample it otherwise
    level = logging.getLogger("torch.onnx").level
    write_naive(tmp_path / "saved", options, tmp_path / "naive.onnx")
    assert logging.getLogger("torch.onnx").level == level
    graph = onnx.load(tmp_path / "naive.onnx").graph
    assert sum(node.op_type == "IsNaN" for node in graph.node) == backbone.num_hidden_layers  # its own attention
    with open_torch(tmp_path / "saved", options, TorchForm("cpu", "fp32", False, 1)) as model:
        batch = np.random.default_rng(0).standard_normal((1, 3, 70, 70)).astype(np.float32)
        expected = model.runner.run(batch)
    (answer,) = onnxruntime.InferenceSession(tmp_path / "naive.onnx").run(None, {"image": batch})
    assert np.abs(answer - expected).max() < TOLERANCE * np.ptp(expected)


def test_a_naive_file_is_opened_without_a_canary(tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)
    image = np.random.default_rng(0).integers(0, 256, (126, 196, 3)).astype(np.uint8)
    choice = Choice("onnxruntime", "fp32", 1)
    with open_naive(tiny_static.onnx, contract, choice) as naive, depthrt.load(tiny_static.onnx, threads=1) as proven:
        assert naive.runner.name == "onnxruntime" and naive.contract is contract
        assert np.array_equal(naive.infer(image).values, proven.infer(image).values)
