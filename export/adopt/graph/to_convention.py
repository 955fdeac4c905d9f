"""Brings a graph to our convention by nodes: `image` (N, 3, h, w) float32 to `depth` (N, h, w) float32, and `sky`."""

from __future__ import annotations

import numpy as np
import onnx_ir
from onnx_ir import DataType, Graph, Shape, Value
from onnx_ir.passes.common import NameFixPass, RemoveUnusedNodesPass
from onnx_ir.traversal import RecursiveGraphIterator

from ....engine.terms import INPUT, OUTPUT, SKY
from .layout import Axis, Layout

_OURS: tuple[Axis, ...] = ("batch", "channels", "height", "width")
_DEPTH: tuple[Axis, ...] = ("batch", "height", "width")
_AXES_ARE_INPUTS = 13  # opset from which Squeeze and Unsqueeze take their axes as an input
_LARGEST_COLOUR = 255.0


def to_convention(model: onnx_ir.Model, layout: Layout, sides_px: tuple[int, int] | None) -> None:
    """Change a graph in place; its numbers stay as they are.

    Args:
        model: The graph.
        layout: As read_layout returns it.
        sides_px: (h, w) that the graph is to take; None for any.
    """
    graph = model.graph
    theirs = next(value for value in graph.inputs if value.name == layout.image)
    depth = next(value for value in graph.outputs if value.name == layout.depth)
    sky = next((value for value in graph.outputs if value.name == layout.sky), None)
    _free_names(graph)
    nodes = _Nodes(graph, model.opset_imports.get("", 0))
    _replace_input(nodes, theirs, layout, sides_px)
    outputs = [nodes.to_depth(depth, layout, OUTPUT)]
    if sky is not None:
        outputs.append(nodes.to_depth(sky, layout, SKY))
    graph.outputs.clear()
    for value in outputs:
        value.shape = Shape([layout.batch or "batch", *(sides_px or ("height", "width"))])
        value.dtype = DataType.FLOAT
        graph.outputs.append(value)
    RemoveUnusedNodesPass()(model)
    NameFixPass()(model)


def _replace_input(nodes: _Nodes, theirs: Value, layout: Layout, sides_px: tuple[int, int] | None) -> None:
    """Put our input before theirs."""
    graph = nodes.graph
    shape = Shape([layout.batch or "batch", 3, *(sides_px or ("height", "width"))])
    image = Value(name=INPUT, shape=shape, type=onnx_ir.TensorType(DataType.FLOAT))
    at = list(graph.inputs).index(theirs)
    nodes.begin()
    brought = nodes.to_image(image, layout)
    theirs.replace_all_uses_with(brought, replace_graph_outputs=True)
    graph.inputs.pop(at)
    graph.inputs.insert(at, image)
    nodes.end()


def _free_names(graph: Graph) -> None:
    """Rename what has one of our names inside a graph."""
    inside = (value for node in RecursiveGraphIterator(graph) for value in node.outputs)
    for value in [*graph.inputs, *inside]:
        if value.name in (INPUT, OUTPUT, SKY):
            value.name = f"{value.name}.theirs"
    for name in [name for name in graph.initializers if name in (INPUT, OUTPUT, SKY)]:
        value = graph.initializers.pop(name)
        value.name = f"{name}.theirs"
        graph.register_initializer(value)


class _Nodes:
    """Makes nodes for the begin and the end of a graph.

    Args:
        graph: The graph.
        opset: Version of the operators.
    """

    def __init__(self, graph: Graph, opset: int) -> None:
        self.graph, self._opset = graph, opset
        self._made: list[onnx_ir.Node] | None = None

    def begin(self) -> None:
        """Collect the nodes from here on."""
        self._made = []

    def end(self) -> None:
        """Put the collected nodes before all others."""
        made, self._made = self._made or [], None
        if made and len(self.graph):
            self.graph.insert_before(self.graph[0], made)
        else:
            self.graph.extend(made)

    def to_image(self, image: Value, layout: Layout) -> Value:
        """Return our image in the type and the axes that the graph takes."""
        value = image
        if layout.image_type == DataType.UINT8:  # Cast cuts the fraction off, and wraps around outside the range
            value = self._add("Add", value, self._constant("half", np.float32(0.5)))
            value = self._add("Max", value, self._constant("black", np.float32(0)))
            value = self._add("Min", value, self._constant("white", np.float32(_LARGEST_COLOUR)))
        if layout.image_type != DataType.FLOAT:
            value = self._cast(value, layout.image_type)
        axes = layout.image_axes
        plain: tuple[Axis, ...] = _OURS if "batch" in axes else _OURS[1:]
        if "batch" not in axes:
            value = self._squeeze(value, 0)
        if "views" in axes:
            return self._unsqueeze(value, axes.index("views"))
        return value if axes == plain else self._transpose(value, [plain.index(axis) for axis in axes])

    def to_depth(self, depth: Value, layout: Layout, name: str) -> Value:
        """Return a depth of the graph in the type and the axes of ours."""
        value, axes = depth, layout.depth_axes
        if "channels" in axes:
            value = self._squeeze(value, axes.index("channels"))
        if "batch" not in axes:
            value = self._unsqueeze(value, 0)
        if depth.dtype != DataType.FLOAT:
            value = self._cast(value, DataType.FLOAT)
        if value is depth and (value.is_graph_input() or value.is_initializer()):
            value = self._add("Identity", value)
        value.name = name
        return value

    def _cast(self, value: Value, to: DataType) -> Value:
        return self._add("Cast", value, to=int(to), dtype=to)

    def _transpose(self, value: Value, perm: list[int]) -> Value:
        return self._add("Transpose", value, perm=perm)

    def _squeeze(self, value: Value, axis: int) -> Value:
        return self._with_axis("Squeeze", value, axis)

    def _unsqueeze(self, value: Value, axis: int) -> Value:
        return self._with_axis("Unsqueeze", value, axis)

    def _with_axis(self, op: str, value: Value, axis: int) -> Value:
        if self._opset < _AXES_ARE_INPUTS:
            return self._add(op, value, axes=[axis])
        return self._add(op, value, self._constant(f"axis{axis}", np.array([axis], np.int64)))

    def _constant(self, name: str, content: np.ndarray | np.float32) -> Value:
        name = f"depthrt.{name}"
        if name not in self.graph.initializers:
            tensor = onnx_ir.tensor(np.asarray(content), name=name)
            self.graph.register_initializer(
                Value(
                    name=name,
                    shape=Shape(list(tensor.numpy().shape)),
                    type=onnx_ir.TensorType(tensor.dtype),
                    const_value=tensor,
                )
            )
        return self.graph.initializers[name]

    def _add(self, op: str, *inputs: Value, dtype: DataType | None = None, **attributes: int | list[int]) -> Value:
        node = onnx_ir.node(op, list(inputs), attributes, num_outputs=1)
        if (known := dtype or inputs[0].dtype) is not None:
            node.outputs[0].dtype = known
        if self._made is None:
            self.graph.append(node)
        else:
            self._made.append(node)
        return node.outputs[0]
