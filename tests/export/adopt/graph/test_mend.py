from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from depthrt.export.adopt.graph.mend import mend


def resized(path: Path, scales_type: type) -> Path:
    """Write a graph that doubles an image, with factors of a type."""
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], scales_type), "scales")
    nodes = [helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear")]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT16, None) for name in "xy"]
    graph = helper.make_graph(nodes, "theirs", values[:1], values[1:], [scales])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_float16_factors_of_a_resize_become_float32(tmp_path: Path) -> None:
    theirs = resized(tmp_path / "theirs.onnx", np.float16)
    with pytest.raises(Exception, match="float16"):
        onnxruntime.InferenceSession(str(theirs), providers=["CPUExecutionProvider"])
    model = onnx_ir.load(theirs)
    assert mend(model) == ("The factors of 1 Resize are float16 in it, which no runtime takes; they are float32 now.",)
    onnx_ir.save(model, tmp_path / "ours.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "ours.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": np.ones((1, 3, 4, 5), np.float16)})
    assert found.shape == (1, 3, 8, 10)


def test_a_right_graph_stays_as_it_is(tmp_path: Path) -> None:
    model = onnx_ir.load(resized(tmp_path / "theirs.onnx", np.float32))
    assert mend(model) == () and len(model.graph) == 1
