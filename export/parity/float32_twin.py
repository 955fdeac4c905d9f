"""A bf16 graph becomes the same graph in float32, so that runtimes without bf16 can run it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx_ir
from onnx_ir import DataType

from ..onnx_file.scratch import scratch_folder


@contextmanager
def float32_twin(path: Path) -> Iterator[Path]:
    """Yield a temporary copy of an ONNX file with float32 for every bf16 type; weights keep their bf16 values."""
    model = onnx_ir.load(path)
    graph = model.graph
    for value in graph.initializers.values():
        tensor = value.const_value
        if tensor is not None and tensor.dtype == DataType.BFLOAT16:
            value.const_value = onnx_ir.tensor(tensor.numpy().astype(np.float32), name=value.name)
            value.dtype = DataType.FLOAT
    for node in graph:
        for output in node.outputs:
            if output.dtype == DataType.BFLOAT16:
                output.dtype = DataType.FLOAT
        _retype_attributes(node)
    with scratch_folder() as folder:
        twin = folder / "twin.onnx"
        onnx_ir.save(model, twin, external_data="twin.data")  # needed for files above 2 GiB
        yield twin


def _retype_attributes(node: onnx_ir.Node) -> None:
    """Change the types in a node's attributes: the target of a Cast, the tensor of a Constant."""
    for name, attribute in list(node.attributes.items()):
        if attribute.type == onnx_ir.AttributeType.INT and node.op_type == "Cast" and name == "to":
            if attribute.as_int() == DataType.BFLOAT16:
                node.attributes[name] = onnx_ir.AttrInt64(name, int(DataType.FLOAT))
        elif attribute.type == onnx_ir.AttributeType.TENSOR and attribute.as_tensor().dtype == DataType.BFLOAT16:
            values = attribute.as_tensor().numpy().astype(np.float32)
            node.attributes[name] = onnx_ir.AttrTensor(name, onnx_ir.tensor(values))
