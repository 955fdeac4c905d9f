"""Whether a graph subtracts the mean of the colours itself, as MiDaS' official export does; and its patch."""

from __future__ import annotations

from typing import Literal

import numpy as np
import onnx_ir
from onnx_ir import DataType, Value

Scale = Literal[1, 255]

_PASSING = ("Cast", "Transpose", "Identity", "Squeeze", "Unsqueeze", "Reshape")  # that leave the values as they are
_MEAN_CHANNELS = 3
_LEAST_PATCH_PX = 4  # of a convolution whose step is its width


def normalisation_scale(image: Value) -> Scale | None:
    """Return the largest colour that a graph takes, if the first thing that it does is to subtract a mean of colours.

    Means within [0, 1] are of colours in [0, 1], others of colours in [0, 255]. A division before it, as by 255, means
    [0, 255] as well.
    """
    divided = False
    value = _passed(image)
    while (step := _arithmetic(value)) is not None:
        op, constant, result = step
        if op in ("Sub", "Add") and constant.size == _MEAN_CHANNELS:
            return 255 if divided or float(np.abs(constant).max()) > 1 else 1
        factor = float(constant.reshape(-1)[0]) if constant.size == 1 else 0.0
        if not (op == "Div" and factor > 1) and not (op == "Mul" and 0 < factor < 1):
            return None
        divided, value = True, _passed(result)
    return None


def patch_px(model: onnx_ir.Model, image: Value) -> int | None:
    """Return the side of the patches that a graph's first convolution cuts the image into; None if it does not."""
    first = next((node for node in model.graph if node.op_type == "Conv" and _reads(node, image)), None)
    if first is None:
        return None
    strides = tuple(first.attributes["strides"].as_ints()) if "strides" in first.attributes else ()
    kernel = tuple(first.attributes["kernel_shape"].as_ints()) if "kernel_shape" in first.attributes else strides
    return strides[0] if strides and kernel == strides and set(strides) == {max(_LEAST_PATCH_PX, strides[0])} else None


def _passed(value: Value) -> Value:
    """Follow a value through nodes that leave its numbers as they are, as long as only one node reads it."""
    while True:
        uses = list(value.uses())
        if len(uses) != 1 or uses[0].node.op_type not in _PASSING:
            return value
        value = uses[0].node.outputs[0]


def _arithmetic(value: Value) -> tuple[str, np.ndarray, Value] | None:
    """Return operator, constant and result of the only node that reads a value, if it is a sum or product with one."""
    uses = list(value.uses())
    if len(uses) != 1 or uses[0].node.op_type not in ("Sub", "Add", "Mul", "Div"):
        return None
    node = uses[0].node
    other = node.inputs[1 - uses[0].idx]
    constant = None if other is None else onnx_ir.convenience.get_const_tensor(other)
    if constant is None or constant.dtype not in (DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE):
        return None
    return node.op_type, constant.numpy(), node.outputs[0]


def _reads(node: onnx_ir.Node, image: Value) -> bool:
    """Return whether a convolution reads the image, through any nodes."""
    waiting, seen = [node.inputs[0]], set()
    while waiting:
        value = waiting.pop()
        if value is image:
            return True
        if value is None or id(value) in seen:
            continue
        seen.add(id(value))
        producer = value.producer()
        if producer is not None:
            waiting.extend(producer.inputs)
    return False
