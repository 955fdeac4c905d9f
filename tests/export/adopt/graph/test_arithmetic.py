from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir
import pytest
from foreign_graphs import Graph, make_graph, write_graph
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from depthrt.export.adopt.graph.arithmetic import attention_of, precision_of, scales_by_batch


def of_nodes(*nodes: onnx.NodeProto, weights: str = "float32") -> onnx_ir.Model:
    tensor = numpy_helper.from_array(np.ones((4, 4), weights), "w")
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, 4])
    return onnx_ir.from_proto(helper.make_model(helper.make_graph(list(nodes), "g", [value], [], [tensor])))


def test_the_precision_is_that_of_the_weights() -> None:
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    assert precision_of(of_nodes(product)) == "fp32"
    assert precision_of(of_nodes(product, weights="float16")) == "fp16"
    assert precision_of(of_nodes(helper.make_node("Relu", ["x"], ["y"]))) == "fp32"


def test_a_dynamically_quantised_file_is_int8(tmp_path: Path) -> None:
    theirs = write_graph(tmp_path / "theirs.onnx", Graph())
    quantize_dynamic(theirs, tmp_path / "int8.onnx", weight_type=QuantType.QUInt8)
    assert precision_of(onnx_ir.load(tmp_path / "int8.onnx")) == "int8"
    assert precision_of(onnx_ir.load(theirs)) == "fp32"


@pytest.mark.parametrize(("level", "precision"), [(None, "fp32"), (0, "fp32"), (1, "fp32"), (4, "int8")])
def test_weights_of_4_bits_are_products_in_float_unless_they_ask_for_int8(level: int | None, precision: str) -> None:
    given: dict[str, Any] = {} if level is None else {"accuracy_level": level}
    node = helper.make_node("MatMulNBits", ["x", "w"], ["y"], domain="com.microsoft", K=4, N=4, **given)
    assert precision_of(of_nodes(node)) == precision


def test_a_product_of_a_quantised_input_is_int8() -> None:
    nodes = (helper.make_node("DequantizeLinear", ["x", "s"], ["d"]), helper.make_node("MatMul", ["d", "w"], ["y"]))
    assert precision_of(of_nodes(*nodes)) == "int8"


def test_attention_is_fused_plain_or_none() -> None:
    softmax = helper.make_node("Softmax", ["x"], ["y"])
    fused = helper.make_node("MultiHeadAttention", ["x"], ["z"], domain="com.microsoft")
    assert attention_of(of_nodes(softmax)) == "plain"
    assert attention_of(of_nodes(softmax, fused)) == "fused"
    assert attention_of(onnx_ir.from_proto(make_graph(Graph()))) == "none"


@pytest.mark.parametrize(("op", "scales"), [("DynamicQuantizeLinear", True), ("Relu", False)])
def test_int8_whose_scale_is_found_at_run_depends_on_the_batch(op: str, scales: bool) -> None:
    image = onnx_ir.Value(name="image")
    node = onnx_ir.node(op, [image], num_outputs=3 if scales else 1)
    graph = onnx_ir.Graph([image], node.outputs, nodes=[node], opset_imports={"": 17})
    assert scales_by_batch(onnx_ir.Model(graph, ir_version=8)) is scales
