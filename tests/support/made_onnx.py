"""ONNX files with metadata and one weight, which no runner has to run."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto, helper


def onnx_file(path: Path, metadata: dict[str, str], *, weight_bytes: int = 4) -> Path:
    """Write an ONNX file whose only weight has so many bytes; return its path."""
    weight = helper.make_tensor("w", TensorProto.UINT8, [weight_bytes], bytes(weight_bytes), raw=True)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["y"])],
        "graph",
        [],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [weight_bytes])],
        [weight],
    )
    model = helper.make_model(graph, producer_name="test", doc_string="é")
    helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path
