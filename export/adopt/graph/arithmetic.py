"""The arithmetic of a graph: its precision, and the form of its attention."""

from __future__ import annotations

from collections import Counter

import onnx_ir
from onnx_ir import DataType
from onnx_ir.traversal import RecursiveGraphIterator

from ....engine.terms import Attention, Precision

_PRODUCTS = ("Conv", "MatMul", "Gemm", "ConvTranspose", "MatMulNBits", "MatMulBnb4", "FusedMatMul")
_INT8_PRODUCTS = (
    *("MatMulInteger", "ConvInteger", "QLinearConv", "QLinearMatMul", "QGemm"),
    *("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QAttention"),
)
_SCALED_AT_RUN = ("DynamicQuantizeLinear", "DynamicQuantizeMatMul")
_FUSED = ("MultiHeadAttention", "Attention", "GroupQueryAttention", "QAttention")
_INT8_LEVEL = (
    4  # accuracy_level of MatMulNBits that rounds its input to int8. Source: ONNX Runtime, ContribOperators.md
)
_BITS = "MatMulNBits"
_HALVES: dict[DataType, Precision] = {DataType.FLOAT16: "fp16", DataType.BFLOAT16: "bf16"}


def precision_of(model: onnx_ir.Model) -> Precision:
    """Return the precision of a graph's products: int8 if any is, else that of most of its weights.

    Weights of 4 bits are products in the type of their input, unless they ask for int8.
    """
    types: Counter[DataType] = Counter()
    quantised = False
    for node in RecursiveGraphIterator(model.graph):
        quantised |= node.op_type in _INT8_PRODUCTS or _rounds_input(node)
        if node.op_type in _PRODUCTS and node.inputs and (dtype := _type_of(node)) is not None:
            types[dtype] += 1
    if quantised:
        return "int8"
    return _HALVES.get(types.most_common(1)[0][0], "fp32") if types else "fp32"


def scales_by_batch(model: onnx_ir.Model) -> bool:
    """Return whether a graph finds the scale of its int8 while it runs: from all images of a batch together."""
    return any(node.op_type in _SCALED_AT_RUN for node in RecursiveGraphIterator(model.graph))


def attention_of(model: onnx_ir.Model) -> Attention:
    """Return the form of the attention in a graph."""
    ops = {node.op_type for node in RecursiveGraphIterator(model.graph)}
    if ops & set(_FUSED):
        return "fused"
    return "plain" if "Softmax" in ops else "none"


def _rounds_input(node: onnx_ir.Node) -> bool:
    """Return whether a product rounds its input to int8: by its attribute, or as its input was quantised before."""
    if node.op_type == _BITS:
        level = node.attributes.get("accuracy_level")
        return level is not None and level.as_int() == _INT8_LEVEL
    value = node.inputs[0] if node.op_type in _PRODUCTS and node.inputs else None
    producer = None if value is None else value.producer()
    return producer is not None and producer.op_type == "DequantizeLinear"


def _type_of(node: onnx_ir.Node) -> DataType | None:
    """Return the type of a product: that of the first of its inputs and weights that states a floating one."""
    floating = (DataType.FLOAT, DataType.FLOAT16, DataType.BFLOAT16)
    values = [*node.inputs[1:], *node.inputs[:1], *node.outputs]
    return next((value.dtype for value in values if value is not None and value.dtype in floating), None)
