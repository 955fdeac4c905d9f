"""Writes nodes and initializers of an ONNX graph from the tensors of a network; each tensor stands in it once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir
from numpy.typing import NDArray
from onnx_ir.tensor_adapters import TorchTensor
from torch import Tensor

Value = onnx_ir.Value
Attribute = int | float | str | list[int]
MICROSOFT = "com.microsoft"


class GraphBuilder:
    """Nodes in the order in which they were added.

    Args:
        tensors: Of the network, by official name, float32.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = tensors
        self.nodes: list[onnx_ir.Node] = []
        self.initializers: dict[str, Value] = {}

    def op(self, kind: str, *inputs: Value | None, domain: str = "", **attributes: Attribute) -> Value:
        """Add a node with one output, and return the output."""
        return self.ops(kind, *inputs, outputs=1, domain=domain, **attributes)[0]

    def ops(
        self,
        kind: str,
        *inputs: Value | None,
        outputs: int,
        domain: str = "",
        **attributes: Attribute,
    ) -> list[Value]:
        """Add a node with several outputs, and return them."""
        node = onnx_ir.node(kind, inputs, attributes, domain=domain, num_outputs=outputs)
        node.name = f"{kind}_{len(self.nodes)}"
        for number, value in enumerate(node.outputs):
            value.name = f"{node.name}_{number}"
        self.nodes.append(node)
        return list(node.outputs)

    def has(self, name: str) -> bool:
        """Return whether the network has a tensor."""
        return name in self.tensors

    def count(self, prefix: str) -> int:
        """Return how many modules stand under a name: "down_blocks" of "down_blocks.0." and "down_blocks.1."."""
        start = f"{prefix}."
        return len({name[len(start) :].split(".", 1)[0] for name in self.tensors if name.startswith(start)})

    def weight(self, name: str) -> Value:
        """Return a tensor of the network as it is."""
        return self.tensor(name, self.tensors[name])

    def transposed(self, name: str) -> Value:
        """Return the weight of a linear layer, (in, out); it is transposed when the file is written."""
        weight = self.tensors[name]
        return self._add(
            f"{name}.T",
            onnx_ir.LazyTensor(
                lambda: TorchTensor(weight.t().contiguous(), name=f"{name}.T"),
                onnx_ir.DataType.FLOAT,
                onnx_ir.Shape([weight.shape[1], weight.shape[0]]),
                name=f"{name}.T",
            ),
        )

    def tensor(self, name: str, tensor: Tensor) -> Value:
        """Return an initializer with the values of a tensor; the same one for the same name."""
        if name in self.initializers:
            return self.initializers[name]
        return self._add(name, TorchTensor(tensor.detach().contiguous(), name=name))

    def whole_numbers(self, *numbers: int) -> Value:
        """Return a vector of int64."""
        return self._constant(f"int_{'_'.join(map(str, numbers))}", np.array(numbers, np.int64))

    def number(self, number: float) -> Value:
        """Return a scalar, float32."""
        return self._constant(f"float_{number!r}", np.array(number, np.float32))

    def scales(self) -> Value:
        """Return the scales of a Resize that doubles both sides."""
        return self._constant("double", np.array([1, 1, 2, 2], np.float32))

    def shape(self, value: Value) -> Value:
        """Return the shape of a value."""
        return self.op("Shape", value)

    def _constant(self, name: str, values: NDArray[np.generic]) -> Value:
        return self.initializers.get(name) or self._add(name, onnx_ir.tensor(values, name=name))

    def _add(self, name: str, tensor: onnx_ir.TensorProtocol) -> Value:
        if name not in self.initializers:
            value = Value(name=name, const_value=tensor, shape=onnx_ir.Shape(tensor.shape.numpy()))
            value.dtype = tensor.dtype
            self.initializers[name] = value
        return self.initializers[name]
