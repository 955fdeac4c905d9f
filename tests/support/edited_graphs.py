"""ONNX files with something put between their network and their output, or before their input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


@dataclass
class Chain:
    """Nodes that are being added, and the name of the last value."""

    value: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, *operands: object, **attributes: Any) -> Chain:  # noqa: ANN401
        """Add a node whose first input is the last value; further inputs are names of values, or arrays."""
        made = f"{self.value}/{op}"
        names = [one if isinstance(one, str) else self._constant(one, f"{made}/{n}") for n, one in enumerate(operands)]
        self.nodes.append(helper.make_node(op, [self.value, *names], [made], made, **attributes))
        self.value = made
        return self

    def aside(self, op: str, *operands: object, **attributes: Any) -> str:  # noqa: ANN401
        """Add a node as `add` does and return the name of its value; the last value stays."""
        before = self.value
        made = self.add(op, *operands, **attributes).value
        self.value = before
        return made

    def _constant(self, value: object, name: str) -> str:
        array = np.asarray(value)
        self.constants.append(
            numpy_helper.from_array(array.astype(np.float32) if array.dtype == float else array, name)
        )
        return name


Edit = Callable[[Chain], Chain]


def with_ending(source: Path, path: Path, edit: Edit, shape: Sequence[int | str] | None = None) -> Path:
    """Write a file whose first output is what `edit` makes of it, of another shape or of the same."""
    model = onnx.load(source)
    (name, output), network = (model.graph.output[0].name, model.graph.output[0]), "whole"
    for node in model.graph.node:
        node.output[:] = [network if one == name else one for one in node.output]
        node.input[:] = [network if one == name else one for one in node.input]
    chain = edit(Chain(network))
    model.graph.node.extend([*chain.nodes, helper.make_node("Identity", [chain.value], [name])])
    model.graph.initializer.extend(chain.constants)
    if shape is not None:
        output.CopyFrom(helper.make_tensor_value_info(name, output.type.tensor_type.elem_type, shape))
    return _saved(model, path)


def with_beginning(source: Path, path: Path, edit: Edit, kind: int, shape: Sequence[int | str]) -> Path:
    """Write a file whose input has another type and shape, of which `edit` makes what the network takes."""
    model = onnx.load(source)
    given = model.graph.input[0]
    name, network = given.name, "network_input"
    for node in model.graph.node:
        node.input[:] = [network if one == name else one for one in node.input]
    chain = edit(Chain(name))
    added = [*chain.nodes, helper.make_node("Identity", [chain.value], [network])]
    nodes = [*added, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(chain.constants)
    given.CopyFrom(helper.make_tensor_value_info(name, kind, shape))
    return _saved(model, path)


def _saved(model: onnx.ModelProto, path: Path) -> Path:
    onnx.save(model, path)
    return path
