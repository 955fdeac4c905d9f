"""Weights are stored in half the bytes if, and only if, no number changes."""

from __future__ import annotations

import numpy as np
import onnx_ir
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from depthrt.export.onnx_file.store_half import SMALLEST_BYTES, store_half

SIDE = 64  # of the square weights; SIDE * SIDE * 4 bytes are more than SMALLEST_BYTES


def product(weights: NDArray[np.generic]) -> onnx_ir.Model:
    """Return a graph image (N, K) @ weights, twice, so that the weights have two users."""
    kind = numpy_helper.from_array(weights).data_type
    graph = make_graph(
        [make_node("MatMul", ["image", "w"], ["half"]), make_node("MatMul", ["half", "w"], ["depth"])],
        "product",
        [make_tensor_value_info("image", kind, ["n", weights.shape[0]])],
        [make_tensor_value_info("depth", kind, ["n", weights.shape[1]])],
        [numpy_helper.from_array(weights, "w")],
    )
    return onnx_ir.from_proto(make_model(graph, opset_imports=[make_opsetid("", 23)], ir_version=10))


def answer(model: onnx_ir.Model, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        onnx_ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found: NDArray[np.float32] = session.run(None, {"image": batch})[0]
    return found


def test_weights_that_half_holds_take_half_the_bytes_and_answer_the_same() -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(SIDE, SIDE)).astype(np.float16).astype(np.float32)
    batch = random.normal(size=(3, SIDE)).astype(np.float32)
    model = product(weights)
    before = answer(model, batch)
    assert store_half(model) == weights.nbytes // 2
    (stored,) = model.graph.initializers.values()
    assert stored.dtype == onnx_ir.DataType.FLOAT16
    assert [node.op_type for node in model.graph] == ["Cast", "MatMul", "MatMul"]
    assert np.array_equal(answer(model, batch), before)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.1, True),  # not a half
        (70000.0, True),  # beyond the range of half
        (1e-10, True),  # below it
        (2.0**-24, False),  # the smallest half
        (65504.0, False),  # the largest
        (-0.5, False),
    ],
)
def test_a_value_that_would_change_keeps_the_weights_in_float32(value: float, kept: bool) -> None:
    weights = np.ones((SIDE, SIDE), np.float32)
    weights[3, 5] = value
    model = product(weights)
    assert store_half(model) == (0 if kept else weights.nbytes // 2)
    assert ("Cast" in [node.op_type for node in model.graph]) != kept


def test_small_weights_and_other_types_stay_as_they_are() -> None:
    side = int((SMALLEST_BYTES / 4) ** 0.5) - 1
    for weights in (np.ones((side, side), np.float32), np.ones((SIDE, SIDE), np.float64)):
        model = product(weights)
        assert store_half(model) == 0
        assert list(model.graph.initializers) == ["w"]


def test_the_type_that_onnx_sees_is_half() -> None:
    model = product(np.ones((SIDE, SIDE), np.float32))
    store_half(model)
    (tensor,) = onnx_ir.to_proto(model).graph.initializer
    assert tensor.data_type == TensorProto.FLOAT16
