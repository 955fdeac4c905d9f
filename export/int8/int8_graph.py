"""Linear layers and convolutions of a float32 graph compute in int8, between QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx_ir
from numpy.typing import NDArray

Range = tuple[float, float]  # least and greatest value of a tensor

_CHANNELS = {"MatMul": 1, "Conv": 0}  # axis of the output channels in the weights of each operator
_LEVELS = 255  # of uint8 above 0
_LARGEST = 127  # of int8, symmetric
_LARGEST_BIAS = 2**30  # of int32, with room for the sum of the products


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that can compute in int8.

    Args:
        node: Name of its node.
        module: Of the network, such as "pretrained.blocks.3.mlp.fc1"; the node's name if that is unknown.
        entering: Name of the tensor that enters the layer, rounded to uint8.
        product: Name of the output of its node.
        leaving: Name of the tensor that leaves the layer rounded to uint8: after the relu if one follows. None for
            linear layers, which leave float32: runtimes scale their integer sums to float32 themselves.
        multiplications: For each value of the product.
    """

    node: str
    module: str
    entering: str
    product: str
    leaving: str | None
    multiplications: int


def find_layers(model: onnx_ir.Model) -> tuple[Layer, ...]:
    """Return the layers of a graph that can compute in int8, in the order in which they run.

    Products of two activations (attention) stay in float32. So does a layer with one output channel: it computes the
    depth itself, for which 256 levels are not enough.
    """
    found = []
    for node in model.graph:
        weights = _weights(node)
        if weights is None or weights.shape[_CHANNELS[node.op_type]] == 1:
            continue
        if node.op_type == "MatMul" and _added_bias(node) is None:
            continue  # it interpolates positions
        leaving = _leaving(node) if node.op_type == "Conv" else None
        if leaving is not None and leaving.is_graph_output():
            continue
        read, (product,) = node.inputs[0], node.outputs
        assert read is not None
        found.append(
            Layer(
                node=str(node.name),
                module=_module(node),
                entering=str(read.name),
                product=str(product.name),
                leaving=None if leaving is None else str(leaving.name),
                multiplications=weights.size // weights.shape[_CHANNELS[node.op_type]],
            )
        )
    return tuple(found)


def insert_int8(model: onnx_ir.Model, layers: Iterable[Layer], ranges: Mapping[str, Range]) -> None:
    """Change layers to int8, in place: activations unsigned with a zero point, weights signed by channel.

    Args:
        model: A float32 graph.
        layers: Of the graph.
        ranges: Of every tensor that enters or leaves one of the layers.
    """
    chosen = tuple(layers)
    nodes = {str(node.name): node for node in model.graph if any(node.name == layer.node for layer in chosen)}
    readers = set(nodes.values())
    leaving = {layer.leaving for layer in chosen}
    for name, value in _tensors(nodes, chosen).items():
        # All readers of a tensor that leaves a layer get it rounded: otherwise a runtime computes it in float32, too.
        uses = [use for use in value.uses() if name in leaving or (use.node in readers and use.idx == 0)]
        rounded = _round_activation(model.graph, value, ranges[name])
        for user, index in uses:
            user.replace_input_with(index, rounded)
    for layer in chosen:
        _round_weights(model.graph, nodes[layer.node], float(_grid(ranges[layer.entering])[0]))


def _weights(node: onnx_ir.Node) -> NDArray[np.float32] | None:
    """Return the float32 weights of a layer; None if the node is not a layer or its weights are computed."""
    if node.op_type not in _CHANNELS or node.domain or node.inputs[1] is None or not node.inputs[1].is_initializer():
        return None
    tensor = node.inputs[1].const_value
    if tensor is None or tensor.dtype != onnx_ir.DataType.FLOAT or len(tensor.shape) < 2:
        return None
    return tensor.numpy()


def _leaving(node: onnx_ir.Node) -> onnx_ir.Value:
    """Return the tensor that leaves a layer: the output of the relu if that is the only reader of its product."""
    (product,) = node.outputs
    users = product.consumers()
    return users[0].outputs[0] if len(users) == 1 and users[0].op_type == "Relu" else product


def _module(node: onnx_ir.Node) -> str:
    """Return the name of a layer's module, from its weight, or from its bias if the exporter renamed the weight."""
    nearby = (node, *node.outputs[0].consumers())
    inputs = (value for neighbour in nearby for value in neighbour.inputs if value is not None)
    names = (str(value.name) for value in inputs if value.is_initializer())
    name = next((name for name in names if "." in name), "")
    return name.rpartition(".")[0].removeprefix("network.") or str(node.name)


def _tensors(nodes: Mapping[str, onnx_ir.Node], layers: Iterable[Layer]) -> dict[str, onnx_ir.Value]:
    """Return every tensor to be rounded, by name."""
    found: dict[str, onnx_ir.Value] = {}
    for layer in layers:
        read = nodes[layer.node].inputs[0]
        assert read is not None
        found.setdefault(layer.entering, read)
        if layer.leaving is not None:
            found.setdefault(layer.leaving, _leaving(nodes[layer.node]))
    return found


def _grid(found: Range) -> tuple[np.float32, np.uint8]:
    """Return scale and zero point of a tensor; 0 is exact, because convolutions pad with it."""
    low, high = min(found[0], 0.0), max(found[1], 0.0)
    scale = np.float32((high - low) / _LEVELS or 1.0)
    return scale, np.uint8(np.clip(round(-low / scale), 0, _LEVELS))


def _round_activation(graph: onnx_ir.Graph, value: onnx_ir.Value, found: Range) -> onnx_ir.Value:
    """Return a tensor rounded to uint8 and back to float32."""
    scale, zero = _grid(found)
    parameters = [_constant(graph, f"{value.name}.scale", scale), _constant(graph, f"{value.name}.zero", zero)]
    quantise = onnx_ir.node("QuantizeLinear", [value, *parameters], name=f"{value.name}.quantise")
    dequantise = onnx_ir.node("DequantizeLinear", [quantise.outputs[0], *parameters], name=f"{value.name}.dequantise")
    quantise.outputs[0].name, dequantise.outputs[0].name = f"{value.name}.uint8", f"{value.name}.rounded"
    producer = value.producer()
    if producer is None:
        graph.insert_before(graph[0], [quantise, dequantise])
    else:
        graph.insert_after(producer, [quantise, dequantise])
    return dequantise.outputs[0]


def _round_weights(graph: onnx_ir.Graph, node: onnx_ir.Node, step: float) -> None:
    """Store the weights of a layer as int8 with a scale for each output channel.

    Args:
        graph: With the node in it.
        node: Of the layer.
        step: Scale of the tensor that enters the layer.
    """
    value, weights = node.inputs[1], _weights(node)
    assert value is not None and weights is not None
    axis = _CHANNELS[node.op_type]
    others = tuple(other for other in range(weights.ndim) if other != axis)
    largest = np.abs(weights).max(axis=others)
    scale = (np.where(largest > 0, largest, 1.0) / _LARGEST).astype(np.float32)
    added = _added_bias(node)
    if added is not None:
        scale = _round_bias(graph, node, *added, scale, step)
    levels = np.round(weights / np.expand_dims(scale, others)).astype(np.int8)
    parameters = [
        _constant(graph, f"{node.name}.weight.int8", levels),
        _constant(graph, f"{node.name}.weight.scale", scale),
        _constant(graph, f"{node.name}.weight.zero", np.zeros(scale.shape, np.int8)),
    ]
    dequantise = onnx_ir.node("DequantizeLinear", parameters, {"axis": axis}, name=f"{node.name}.weight.dequantise")
    dequantise.outputs[0].name = f"{node.name}.weight.rounded"
    graph.insert_before(node, dequantise)
    node.replace_input_with(1, dequantise.outputs[0])
    if not value.uses():
        del graph.initializers[str(value.name)]


def _added_bias(node: onnx_ir.Node) -> tuple[onnx_ir.Node, int] | None:
    """Return the node that adds a bias to a product, and the index of the bias among its inputs."""
    users = node.outputs[0].consumers()
    if node.op_type != "MatMul" or len(users) != 1 or users[0].op_type != "Add":
        return None
    for index, value in enumerate(users[0].inputs):
        tensor = value.const_value if value is not None and value.is_initializer() else None
        if tensor is not None and tensor.dtype == onnx_ir.DataType.FLOAT and len(tensor.shape) == 1:
            return users[0], index
    return None


def _round_bias(
    graph: onnx_ir.Graph, node: onnx_ir.Node, add: onnx_ir.Node, index: int, scale: NDArray[np.float32], step: float
) -> NDArray[np.float32]:
    """Store a bias as int32, in steps of the products: ONNX Runtime adds it to integer sums and takes no other type.

    Returns:
        The scale of the weights, larger in channels whose bias would not fit.
    """
    value = add.inputs[index]
    assert value is not None and value.const_value is not None
    bias = value.const_value.numpy()
    scale = np.maximum(scale, np.abs(bias) / (step * _LARGEST_BIAS)).astype(np.float32)
    steps = (scale * np.float32(step)).astype(np.float32)
    parameters = [
        _constant(graph, f"{node.name}.bias.int32", np.round(bias.astype(np.float64) / steps).astype(np.int32)),
        _constant(graph, f"{node.name}.bias.scale", steps),
    ]
    dequantise = onnx_ir.node("DequantizeLinear", parameters, {"axis": 0}, name=f"{node.name}.bias.dequantise")
    dequantise.outputs[0].name = f"{node.name}.bias.rounded"
    graph.insert_before(node, dequantise)
    add.replace_input_with(index, dequantise.outputs[0])
    if not value.uses():
        del graph.initializers[str(value.name)]
    return scale


def _constant(graph: onnx_ir.Graph, name: str, values: NDArray[np.generic] | np.generic) -> onnx_ir.Value:
    array = np.asarray(values)
    tensor = onnx_ir.tensor(array, name=name)
    value = onnx_ir.Value(
        name=name, const_value=tensor, shape=onnx_ir.Shape(array.shape), type=onnx_ir.TensorType(tensor.dtype)
    )
    graph.register_initializer(value)
    return value
