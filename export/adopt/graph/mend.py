"""Mends what converters break in a graph and every runtime refuses, where the right form is beyond doubt."""

from __future__ import annotations

import onnx_ir
from onnx_ir import DataType
from onnx_ir.traversal import RecursiveGraphIterator

_SCALES = 2  # number of the input of Resize that holds the factors, from opset 11 on
_FIRST_OPSET = 11


def mend(model: onnx_ir.Model) -> tuple[str, ...]:
    """Change a graph in place; return what was changed, a sentence each.

    Converters to float16 also convert the factors of Resize, which the standard has in float32.
    """
    mended = 0
    for node in list(RecursiveGraphIterator(model.graph)):
        if node.op_type != "Resize" or model.opset_imports.get("", 0) < _FIRST_OPSET or len(node.inputs) <= _SCALES:
            continue
        scales = node.inputs[_SCALES]
        if scales is None or scales.dtype != DataType.FLOAT16 or node.graph is None:
            continue
        cast = onnx_ir.node("Cast", [scales], {"to": int(DataType.FLOAT)}, num_outputs=1)
        cast.outputs[0].dtype = DataType.FLOAT
        cast.outputs[0].shape = scales.shape
        node.graph.insert_before(node, cast)
        node.replace_input_with(_SCALES, cast.outputs[0])
        mended += 1
    if not mended:
        return ()
    return (f"The factors of {mended} Resize are float16 in it, which no runtime takes; they are float32 now.",)
