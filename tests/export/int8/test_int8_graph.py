"""Layers of a graph are found and computed in int8, off by no more than their roundings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest
from int8_graphs import answer_of, conv_graph, linear_graph
from random_checkpoint import TINY
from tiny_model import TinyModel

from depthrt.export.int8.int8_graph import Layer, find_layers, insert_int8

LINEAR = 4 * TINY.depth


def saved(model: onnx_ir.Model, path: Path) -> Path:
    onnx_ir.save(model, path)
    onnx.checker.check_model(onnx.load(path))
    return path


def test_an_int8_layer_is_off_by_no_more_than_its_roundings(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(32, 8)).astype(np.float32) * np.logspace(-3, 3, 8, dtype=np.float32)
    batch = random.uniform(-1, 3, size=(16, 32)).astype(np.float32)
    bias = np.array([1e6, -7, 0, 1, 2, 3, 4, 5], np.float32)  # the first takes more than int32 beside weights of 1e-3
    model = linear_graph(weights, bias)
    (layer,) = find_layers(model)
    insert_int8(model, [layer], {"image": (-1.0, 3.0)})
    found = answer_of(saved(model, tmp_path / "int8.onnx"), batch)
    step = 4 / 255
    of_input, of_weights = step / 2, np.abs(weights).max(axis=0) / 127 / 2  # half a step
    bound = of_input * np.abs(weights).sum(axis=0) + of_weights * (np.abs(batch).sum(axis=1, keepdims=True) + 32)
    bound += step * of_weights  # of the bias, whose steps are those of the products
    difference = np.abs(found - (batch @ weights + bias))
    assert (difference[:, 1:] <= bound[:, 1:]).all() and difference.max() > 0
    # One scale for all channels would leave nothing of the small ones.
    assert (difference[:, 1:].max(axis=0) < 0.1 * np.abs(batch @ weights)[:, 1:].max(axis=0)).all()
    assert found[:, 0] == pytest.approx(bias[0], rel=1e-6)  # its weights are coarser, the bias is whole


@pytest.mark.parametrize("relu", [False, True])
def test_an_int8_convolution_is_off_by_no_more_than_its_roundings(relu: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    weights = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    bias = random.normal(size=4).astype(np.float32)
    batch = random.uniform(-1, 3, size=(1, 3, 6, 6)).astype(np.float32)
    exact = answer_of(saved(conv_graph(weights, bias, relu=relu), tmp_path / "float32.onnx"), batch)
    model = conv_graph(weights, bias, relu=relu)
    (layer,) = find_layers(model)
    leaving = layer.leaving
    assert leaving == ("kept" if relu else "conv")
    insert_int8(model, [layer], {"image": (-1.0, 3.0), leaving: (0.0 if relu else -30.0, 30.0)})
    found = answer_of(saved(model, tmp_path / "int8.onnx"), batch)
    of_input, of_output = 4 / 255 / 2, 60 / 255 / 2  # half a step
    of_weights = float(np.abs(weights).max()) / 127 / 2
    bound = of_input * np.abs(weights).sum(axis=(1, 2, 3)).max() + of_weights * 27 * 3 + of_output
    assert 0 < np.abs(found - exact).max() <= bound


def test_zero_stays_zero_whatever_the_range(tmp_path: Path) -> None:
    for number, found in enumerate([(0.3, 2.7), (-0.17, 4.9), (-3.0, -1.0), (0.0, 0.0)]):
        model = linear_graph(np.ones((4, 4), np.float32), np.zeros(4, np.float32))
        insert_int8(model, find_layers(model), {"image": found})
        path = saved(model, tmp_path / f"{number}.onnx")
        assert not answer_of(path, np.zeros((2, 4), np.float32)).any()


def test_every_layer_of_the_network_is_found_except_the_depth(tiny_static: TinyModel) -> None:
    layers = find_layers(onnx_ir.load(tiny_static.onnx))
    modules = [layer.module for layer in layers]
    assert sum(layer.leaving is None for layer in layers) == LINEAR
    assert {f"pretrained.blocks.{number}.mlp.fc2" for number in range(TINY.depth)} < set(modules)
    assert len(set(modules)) == len(modules)
    assert "depth_head.scratch.output_conv2.0" in modules and "depth_head.scratch.output_conv2.2" not in modules


def test_a_layer_tells_its_tensors_and_its_work() -> None:
    (layer,) = find_layers(conv_graph(np.ones((4, 3, 3, 3), np.float32), np.zeros(4, np.float32), relu=True))
    assert layer == Layer("conv", "c", "image", "conv", "kept", 3 * 3 * 3)
    (layer,) = find_layers(linear_graph(np.ones((32, 8), np.float32), np.zeros(8, np.float32)))
    assert layer == Layer("product", "product", "image", "sum", None, 32)


def test_a_layer_with_one_output_channel_stays_in_float32() -> None:
    assert find_layers(conv_graph(np.ones((1, 3, 3, 3), np.float32), np.zeros(1, np.float32), relu=True)) == ()
    assert find_layers(linear_graph(np.ones((32, 1), np.float32), np.zeros(1, np.float32))) == ()


def test_only_the_chosen_layers_are_rounded(tiny_static: TinyModel) -> None:
    model = onnx_ir.load(tiny_static.onnx)
    layers = find_layers(model)[:3]
    tensors = {name for layer in layers for name in (layer.entering, layer.leaving) if name is not None}
    insert_int8(model, layers, dict.fromkeys(tensors, (-1.0, 1.0)))
    operators = [node.op_type for node in model.graph]
    assert operators.count("QuantizeLinear") == len(tensors)
    levels = [name for name in model.graph.initializers if name.endswith(".weight.int8")]
    assert len(levels) == len(layers)
