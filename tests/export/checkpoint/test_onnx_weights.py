"""Weights of a model file: what the checkpoint held is found again by name."""

from __future__ import annotations

import torch
from tiny_model import TinyModel

from depthrt.export.checkpoint.onnx_weights import read_onnx_weights


def test_the_weights_of_a_file_are_those_of_its_checkpoint(tiny: TinyModel) -> None:
    stored = read_onnx_weights(tiny.onnx)
    same = [
        name for name, weight in tiny.state.items() if torch.equal(stored.get(f"network.{name}", weight + 1), weight)
    ]
    assert same
