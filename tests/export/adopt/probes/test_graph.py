"""Inputs that nothing reads and outputs that depend on none are found, branches and loops included."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from depthrt.export.adopt.probes.graph import probe_graph


def graph(
    nodes: list[onnx.NodeProto], inputs: list[str], outputs: list[str], constants: dict[str, object]
) -> onnx_ir.Model:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (*inputs, *outputs)]
    made = helper.make_graph(
        nodes,
        "graph",
        values[: len(inputs)],
        values[len(inputs) :],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return onnx_ir.from_proto(helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)]))


def sentences(model: onnx_ir.Model) -> list[str]:
    return [found.sentence for found in probe_graph(model) if not found.passed]


def test_a_sound_graph_passes() -> None:
    model = graph([helper.make_node("Relu", ["image"], ["depth"])], ["image"], ["depth"], {})
    assert [found.passed for found in probe_graph(model)] == [True, True]


def test_a_graph_without_an_input_is_found() -> None:
    model = graph([helper.make_node("Relu", ["w"], ["depth"])], [], ["depth"], {"w": np.ones(3, np.float32)})
    (found,) = sentences(model)
    assert found.startswith("the graph has no input: the exporter folded the image")


@pytest.mark.parametrize("second", ["mask", "focal"])
def test_an_input_that_nothing_reads_is_named(second: str) -> None:
    model = graph([helper.make_node("Relu", ["image"], ["depth"])], ["image", second], ["depth"], {})
    (found,) = sentences(model)
    assert found.startswith(f"input {second} is read by nothing")


def test_an_output_that_depends_on_no_input_is_named() -> None:
    nodes = [helper.make_node("Relu", ["image"], ["depth"]), helper.make_node("Relu", ["w"], ["sky"])]
    (found,) = sentences(graph(nodes, ["image"], ["depth", "sky"], {"w": np.ones(3, np.float32)}))
    assert found.startswith("output sky depends on no input")


def test_what_a_branch_reads_of_the_image_counts() -> None:
    branches = [
        helper.make_graph(
            [helper.make_node(op, ["image"], [op])],
            op,
            [],
            [helper.make_tensor_value_info(op, TensorProto.FLOAT, None)],
        )
        for op in ("Relu", "Neg")
    ]
    node = helper.make_node("If", ["yes"], ["depth"], then_branch=branches[0], else_branch=branches[1])
    assert sentences(graph([node], ["image"], ["depth"], {"yes": np.array(True)})) == []
