"""The float32 twin of a bf16 file has the same graph and weights, and runs on a CPU."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto
from random_checkpoint import TINY

from depthrt.export.parity.float32_twin import float32_twin
from depthrt.export.to_onnx import Exported


def test_the_twin_has_the_weights_of_the_file_in_float32(tiny_bf16: Exported) -> None:
    with float32_twin(tiny_bf16.path) as path:
        twin, original = onnx.load(path), onnx.load(tiny_bf16.path)
    assert [node.op_type for node in twin.graph.node] == [node.op_type for node in original.graph.node]
    types = Counter(tensor.data_type for tensor in twin.graph.initializer)
    assert TensorProto.BFLOAT16 not in types and types[TensorProto.FLOAT] > TINY.depth
    for found, tensor in zip(twin.graph.initializer, original.graph.initializer, strict=True):
        if tensor.data_type == TensorProto.BFLOAT16:
            expected = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            assert np.array_equal(onnx.numpy_helper.to_array(found), expected)


def test_the_twin_runs_in_onnx_runtime_and_goes_with_the_block(tiny_bf16: Exported) -> None:
    with float32_twin(tiny_bf16.path) as path:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (depth,) = session.run(None, {"image": np.zeros((1, 3, 126, 196), np.float32)})
    assert depth.shape == (1, 126, 196) and np.isfinite(depth).all()
    assert not path.exists() and not path.parent.exists()


def test_no_node_of_the_twin_makes_bf16(tiny_bf16: Exported) -> None:
    with float32_twin(tiny_bf16.path) as path:
        graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    assert TensorProto.BFLOAT16 not in {value.type.tensor_type.elem_type for value in graph.value_info}
    casts = [onnx.helper.get_attribute_value(node.attribute[0]) for node in graph.node if node.op_type == "Cast"]
    assert casts and TensorProto.BFLOAT16 not in casts
