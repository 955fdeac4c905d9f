"""Nodes follow each other, and each tensor of the network stands in the graph once."""

from __future__ import annotations

import numpy as np
import torch
from graph_pieces import assert_same, run_piece

from depthrt.export.network.marigold.graph.builder import GraphBuilder, Value

TENSORS = {"a.0.weight": torch.arange(6.0).reshape(2, 3), "a.1.bias": torch.ones(2), "ab.weight": torch.ones(1)}


def test_modules_under_a_name_are_counted() -> None:
    g = GraphBuilder(TENSORS)
    assert (g.count("a"), g.count("ab"), g.count("b")) == (2, 1, 0)
    assert g.has("a.1.bias") and not g.has("a.0.bias")


def test_a_tensor_stands_in_the_graph_once() -> None:
    g = GraphBuilder(TENSORS)
    assert g.weight("a.0.weight") is g.weight("a.0.weight")
    assert g.transposed("a.0.weight") is g.transposed("a.0.weight")
    assert g.whole_numbers(0, -1) is g.whole_numbers(0, -1) and g.number(0.5) is g.number(0.5)
    assert len(g.initializers) == 4


def test_a_linear_weight_is_transposed_when_it_is_written() -> None:
    value = GraphBuilder(TENSORS).transposed("a.0.weight")
    assert value.const_value is not None and value.const_value.nbytes == 24
    assert np.array_equal(value.const_value.numpy(), TENSORS["a.0.weight"].t())


def test_nodes_run_in_the_order_in_which_they_were_added() -> None:
    def write(g: GraphBuilder, x: Value) -> Value:
        first, second = g.ops("Split", g.op("Mul", x, g.number(2.0)), outputs=2, axis=1, num_outputs=2)
        return g.op("Sub", first, second)

    x = torch.arange(8.0).reshape(1, 4, 2)
    assert_same(run_piece({}, write, x), 2 * (x[:, :2] - x[:, 2:]))
