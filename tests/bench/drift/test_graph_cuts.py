"""Cuts of two graphs: the same tensors live at a cut of both, and a part computes what the whole does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from depthrt.bench.drift.graph_cuts import OnnxGraph, common_cuts, read_graph
from depthrt.engine.errors import InputError, ModelFileError

WEIGHT = np.array([[2, 0], [1, 3]], np.float32)
BATCH = np.array([[1, -2], [3, 4]], np.float32)


def write(path: Path, *, prefix: str = "", cast: bool = False, skip: bool = True) -> Path:
    """Write relu(x @ w + b) * x: with a skip connection, which lives across the cuts between."""
    name = "network.block.0.linear"
    nodes = [
        *([helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT)] if cast else []),
        helper.make_node("MatMul", ["half" if cast else "x", f"{prefix}7"], [f"{prefix}product"], name=f"{prefix}a"),
        helper.make_node("Add", [f"{prefix}product", f"{name}.bias"], [f"{prefix}sum"], name=f"{prefix}b"),
        helper.make_node("Relu", [f"{prefix}sum"], [f"{prefix}relu"], name=f"{prefix}c"),
        helper.make_node("Mul" if skip else "Add", [f"{prefix}relu", "x"], ["y"], name=f"{prefix}d"),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2, 2])],
        [
            numpy_helper.from_array(WEIGHT, f"{prefix}7"),
            numpy_helper.from_array(np.array([1, -1], np.float32), f"{name}.bias"),
        ],
    )
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def run(model: bytes, outputs: list[str]) -> list[NDArray[np.float32]]:
    answers: list[NDArray[np.float32]] = onnxruntime.InferenceSession(model).run(outputs, {"x": BATCH})
    return answers


@pytest.fixture
def graphs(tmp_path: Path) -> tuple[OnnxGraph, OnnxGraph]:
    return read_graph(write(tmp_path / "a.onnx")), read_graph(write(tmp_path / "b.onnx", prefix="other_", cast=True))


def test_graphs_of_one_network_are_cut_after_every_node_whatever_its_name(graphs: tuple[OnnxGraph, OnnxGraph]) -> None:
    cuts = common_cuts(*graphs)
    assert [(cut.reference_last, cut.suspect_last) for cut in cuts] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [cut.reference_tensors for cut in cuts] == [("product",), ("sum",), ("relu",), ("y",)]
    assert [cut.suspect_tensors for cut in cuts] == [("other_product",), ("other_sum",), ("other_relu",), ("y",)]


def test_a_part_answers_with_the_tensors_of_its_cut(graphs: tuple[OnnxGraph, OnnxGraph]) -> None:
    product, bias = BATCH @ WEIGHT, np.array([1, -1])
    expected = [product, product + bias, np.maximum(product + bias, 0)]
    for cut, values in zip(common_cuts(*graphs), expected, strict=False):
        for graph, last, names in (
            (graphs[0], cut.reference_last, cut.reference_tensors),
            (graphs[1], cut.suspect_last, cut.suspect_tensors),
        ):
            (answer,) = run(graph.part(last, names), list(names))
            assert np.array_equal(answer, values)


def test_a_tensor_that_is_used_later_lives_at_the_cuts_between(tmp_path: Path) -> None:
    model = onnx.load(write(tmp_path / "a.onnx"))
    model.graph.node[3].input[1] = "product"  # relu * product: product lives on to the last node
    onnx.save(model, tmp_path / "late.onnx")
    graph = read_graph(tmp_path / "late.onnx")
    assert [cut.reference_tensors for cut in common_cuts(graph, graph)] == [
        ("product",), ("product", "sum"), ("product", "relu"), ("y",),
    ]  # fmt: skip


def test_a_layer_is_the_module_of_its_parameters_and_a_product_that_of_its_bias(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path / "a.onnx"))
    assert graph.layers() == ["block.0.linear", "block.0.linear", "", ""]


def test_a_weight_behind_a_cast_is_a_parameter(tmp_path: Path) -> None:
    model = onnx.load(write(tmp_path / "a.onnx"))
    model.graph.node.insert(0, helper.make_node("Cast", ["7"], ["8"], to=TensorProto.FLOAT))
    model.graph.node[1].input[1] = "8"
    onnx.save(model, tmp_path / "cast.onnx")
    assert read_graph(tmp_path / "cast.onnx").parameters() == {"7", "8", "network.block.0.linear.bias"}


def test_what_is_not_a_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("text")
    for name in ("text.onnx", "missing.onnx"):
        with pytest.raises(ModelFileError, match=f"{name} cannot be read as ONNX .*; export it again"):
            read_graph(tmp_path / name)


def test_graphs_without_a_common_node_are_refused(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Tan", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    onnx.save(helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(InputError, match="share no node, expected two files of one network"):
        common_cuts(read_graph(write(tmp_path / "a.onnx")), read_graph(tmp_path / "other.onnx"))


SIDE = 3


IMAGE = np.arange(SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)


Node = tuple[str, Sequence[str], str]  # operator, inputs, output


def values_of(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)).astype(np.float32)


def write_nodes(path: Path, nodes: Sequence[Node], weights: Sequence[str] = ()) -> Path:
    """Write a graph from "image" to "depth", (SIDE, SIDE) each."""
    shape = [SIDE, SIDE]
    graph = helper.make_graph(
        [
            helper.make_node(op, list(inputs), [output], to=TensorProto.FLOAT if op == "Cast" else None)
            for op, inputs, output in nodes
        ],
        "made",
        [helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(values_of(number), name) for number, name in enumerate(weights)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


WEIGHTS = ("network.block.0.fc.weight", "network.block.1.fc.weight")


# The sum "skip" is used again by the last node, so it lives at the cut after each node between.
RESIDUAL: tuple[Node, ...] = (
    ("Add", ("image", WEIGHTS[0]), "skip"),
    ("Relu", ("skip",), "positive"),
    ("Mul", ("positive", WEIGHTS[1]), "scaled"),
    ("Add", ("skip", "scaled"), "depth"),
)


@pytest.fixture
def residual(tmp_path: Path) -> Path:
    return write_nodes(tmp_path / "residual.onnx", RESIDUAL, WEIGHTS)


def test_nodes_that_one_graph_has_more_are_no_cuts(residual: Path, tmp_path: Path) -> None:
    more: list[Node] = [*RESIDUAL[:1], ("Cast", ("skip",), "cast"), ("Tan", ("cast",), "bent"), *RESIDUAL[1:]]
    more[3] = ("Relu", ("bent",), "positive")
    suspect = read_graph(write_nodes(tmp_path / "more.onnx", more, WEIGHTS))
    cuts = common_cuts(read_graph(residual), suspect)
    assert [suspect.nodes[cut.suspect_last].op_type for cut in cuts] == ["Add", "Relu", "Mul", "Add"]
    assert [set(cut.suspect_tensors) for cut in cuts][:2] == [{"skip"}, {"skip", "positive"}]


def test_a_tensor_lives_as_long_as_what_unmatched_nodes_make_of_it(tmp_path: Path) -> None:
    longer: list[Node] = [
        ("Add", ("image", WEIGHTS[0]), "skip"),
        ("Tan", ("skip",), "bent"),
        ("Relu", ("image",), "positive"),
        ("Mul", ("positive", "bent"), "depth"),
    ]
    shorter: list[Node] = [longer[0], longer[2], ("Mul", ("positive", "skip"), "depth")]
    graphs = (
        read_graph(write_nodes(tmp_path / f"{len(nodes)}.onnx", nodes, WEIGHTS[:1])) for nodes in (longer, shorter)
    )
    assert [set(cut.reference_tensors) for cut in common_cuts(*graphs)] == [{"skip"}, {"skip", "positive"}, {"depth"}]


def test_nodes_with_other_parameters_do_not_match(residual: Path, tmp_path: Path) -> None:
    swapped = [
        (op, [{WEIGHTS[0]: WEIGHTS[1], WEIGHTS[1]: WEIGHTS[0]}.get(name, name) for name in inputs], output)
        for op, inputs, output in RESIDUAL
    ]
    cuts = common_cuts(read_graph(residual), read_graph(write_nodes(tmp_path / "swapped.onnx", swapped, WEIGHTS)))
    assert [cut.reference_last for cut in cuts] == [1, 3]  # the two without parameters


def test_a_part_holds_the_weights_that_it_uses(residual: Path) -> None:
    part = onnx.load_from_string(read_graph(residual).part(1, ("positive",)))
    assert [found.name for found in part.graph.initializer] == [WEIGHTS[0]]
