"""Pieces of a graph that depthrt writes, run alone in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx_ir
import onnxruntime
import torch
from torch import Tensor

from depthrt.export.network.marigold.graph.builder import GraphBuilder, Value

SAME_FLOAT32 = 5e-6  # of the largest value


def run_piece(tensors: Mapping[str, Tensor], write: Callable[..., Value], *inputs: Tensor) -> Tensor:
    """Return what nodes answer for inputs, whose sides after the second are dynamic.

    Args:
        tensors: Of the network.
        write: Adds the nodes: takes the builder and the inputs' values, returns the output's.
    """
    g = GraphBuilder(tensors)
    values = [
        Value(
            name=f"input_{number}",
            shape=onnx_ir.Shape([*tensor.shape[:2], *(f"side_{number}_{axis}" for axis in range(2, tensor.dim()))]),
            type=onnx_ir.TensorType(onnx_ir.DataType.FLOAT),
        )
        for number, tensor in enumerate(inputs)
    ]
    output = write(g, *values)
    output.dtype = onnx_ir.DataType.FLOAT
    graph = onnx_ir.Graph(
        values,
        [output],
        nodes=g.nodes,
        initializers=list(g.initializers.values()),
        opset_imports={"": 23, "com.microsoft": 1},
        name="piece",
    )
    model = onnx_ir.to_proto(onnx_ir.Model(graph, ir_version=10)).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feeds = {value.name: tensor.numpy() for value, tensor in zip(values, inputs, strict=True)}
    return torch.from_numpy(session.run(None, feeds)[0])


def assert_same(found: Tensor, expected: Tensor) -> None:
    """Check that two answers differ by float32's rounding only."""
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= SAME_FLOAT32 * expected.abs().max()
