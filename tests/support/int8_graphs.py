"""Small graphs with layers that can compute in int8, and their answers in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
from made import CONTRACT
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.model_file import as_model_file
from depthrt.engine.runners.open_runner import open_runner

Float32 = NDArray[np.float32]


def linear_graph(weights: Float32, bias: Float32) -> onnx_ir.Model:
    """Return image (N, K) @ weights + bias."""
    return _model(
        [make_node("MatMul", ["image", "w"], ["sum"], "product"), make_node("Add", ["sum", "b"], ["depth"], "plus")],
        ["n", weights.shape[0]],
        ["n", weights.shape[1]],
        {"w": weights, "b": bias},
    )


def conv_graph(weights: Float32, bias: Float32, *, relu: bool) -> onnx_ir.Model:
    """Return a convolution of image (1, C, 6, 6), padded, then a relu or not, then the mean of its channels."""
    nodes = [make_node("Conv", ["image", "c.weight", "c.bias"], ["conv"], "conv", pads=[1, 1, 1, 1])]
    if relu:
        nodes.append(make_node("Relu", ["conv"], ["kept"], "relu"))
    nodes.append(make_node("ReduceMean", [nodes[-1].output[0], "axes"], ["depth"], "mean", keepdims=0))
    values = {"c.weight": weights, "c.bias": bias, "axes": np.array([1])}
    return _model(nodes, [1, weights.shape[1], 6, 6], [1, 6, 6], values)


def answer_of(path: Path, batch: Float32, contract: Contract = CONTRACT) -> Float32:
    """Return what ONNX Runtime answers on one thread."""
    runner = open_runner(as_model_file(path, replace(contract, precision="fp32")), device="cpu", threads=1)
    answer: Float32 = runner.run(batch)
    runner.close()
    return answer


def _model(
    nodes: list[onnx.NodeProto], image: list[str | int], depth: list[str | int], values: dict[str, np.ndarray]
) -> onnx_ir.Model:
    graph = make_graph(
        nodes,
        "graph",
        [make_tensor_value_info("image", TensorProto.FLOAT, image)],
        [make_tensor_value_info("depth", TensorProto.FLOAT, depth)],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return onnx_ir.from_proto(make_model(graph, opset_imports=[make_opsetid("", 23)], ir_version=10))
