"""Small ONNX graphs as others lay them out: one network behind many names, axes and types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
Dim = int | str


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A graph of others: the mean of three 3x3 filters of the image, after a ReLU, and the row number over the height.

    Args:
        image, depth: Names of input and output.
        image_type, depth_type: "float32", "float16" or "uint8".
        image_dims: Of the input; three or five axes are an image without a batch, and one with views.
        channels_last: Whether the input is (n, h, w, 3) or (h, w, 3).
        depth_axes: "nhw", "n1hw", "nhw1", "hw" or "hw1".
        depth_dims: Of the output as the file states them; None: not at all.
        normalises: Subtract the mean of colours in [0, this] in the graph; None for none.
        opset: Of the operators.
        others: Names of more outputs, each a copy of the depth.
        ramp: Factor of the row number.
    """

    image: str = "pixel_values"
    depth: str = "predicted_depth"
    image_type: str = "float32"
    depth_type: str = "float32"
    image_dims: tuple[Dim, ...] = ("batch_size", "num_channels", "height", "width")
    channels_last: bool = False
    depth_axes: str = "nhw"
    depth_dims: tuple[Dim, ...] | None = ("batch_size", "height", "width")
    normalises: int | None = None
    opset: int = 17
    others: tuple[str, ...] = ()
    ramp: float = 2.0


def write_graph(path: Path, graph: Graph) -> Path:
    """Write a graph; return its path."""
    onnx.save(make_graph(graph), path)
    return path


def make_graph(graph: Graph) -> onnx.ModelProto:
    """Return a graph as the onnx library has it."""
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    last = graph.image

    def constant(name: str, values: object, dtype: type = np.float32) -> str:
        weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(op: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401 (as onnx has them)
        name = f"{op}_{len(nodes)}"
        nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def on_axis(op: str, value: str, axis: int) -> str:
        if graph.opset < 13:
            return add(op, value, axes=[axis])
        return add(op, value, constant(f"axis_{len(nodes)}", [axis], np.int64))

    if graph.image_type != "float32":
        last = add("Cast", last, to=TensorProto.FLOAT)
    if len(graph.image_dims) == 5:
        last = on_axis("Squeeze", last, 1)
    if len(graph.image_dims) == 3:
        last = on_axis("Unsqueeze", last, 0)
    if graph.channels_last:
        last = add("Transpose", last, perm=[0, 3, 1, 2])
    if graph.normalises is not None:
        scale = graph.normalises
        last = add("Sub", last, constant("mean", np.reshape(MEAN, (1, 3, 1, 1)) * np.float32(scale)))
        last = add("Div", last, constant("std", np.reshape(STD, (1, 3, 1, 1)) * np.float32(scale)))
    filters = np.random.default_rng(0).normal(0, 0.3, (4, 3, 3, 3))
    last = add("Relu", add("Conv", last, constant("filters", filters), kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    last = (
        add("ReduceMean", last, constant("axes", [1], np.int64), keepdims=1)
        if graph.opset >= 18
        else add("ReduceMean", last, axes=[1], keepdims=1)
    )
    ones = add("Add", add("Mul", last, constant("zero", 0)), constant("one", 1))
    rows = add("CumSum", ones, constant("rows_axis", 2, np.int32))
    share = add("Div", rows, add("ReduceMax", rows, keepdims=1))
    last = add("Add", last, add("Mul", share, constant("ramp", graph.ramp)))
    if graph.depth_axes == "nhw":
        last = on_axis("Squeeze", last, 1)
    elif graph.depth_axes == "nhw1":
        last = add("Transpose", last, perm=[0, 2, 3, 1])
    elif graph.depth_axes in ("hw", "hw1"):
        last = on_axis("Squeeze", on_axis("Squeeze", last, 0), 0)
        last = on_axis("Unsqueeze", last, 2) if graph.depth_axes == "hw1" else last
    if graph.depth_type != "float32":
        last = add("Cast", last, to=TYPES[graph.depth_type])
    nodes += [helper.make_node("Identity", [last], [name]) for name in (graph.depth, *graph.others)]
    image = helper.make_tensor_value_info(graph.image, TYPES[graph.image_type], graph.image_dims)
    depths = [
        helper.make_tensor_value_info(name, TYPES[graph.depth_type], graph.depth_dims)
        for name in (graph.depth, *graph.others)
    ]
    made = helper.make_graph(nodes, "theirs", [image], depths, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", graph.opset)], ir_version=8)
