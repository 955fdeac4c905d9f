"""The graph of a network: clean operators, open or fixed sizes, and the answers of torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
import torch
from made import CONTRACT
from network_answers import GATED, SAME_FLOAT32, SAME_HALF, UNUSED, answer, difference, photo_batch
from random_checkpoint import TINY, random_network
from tiny_model import TinyModel, export_tiny
from torch import Tensor

import depthrt
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.runners.open_runner import open_runner
from depthrt.export.trace import trace


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def dimensions(value: onnx.ValueInfoProto) -> list[str | int]:
    return [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]


def run(path: Path, batch: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"image": batch.numpy()})[0])


def test_the_graph_has_one_operator_for_each_attention_gelu_and_norm(tiny: TinyModel) -> None:
    found = operators(tiny.onnx)
    assert found["MultiHeadAttention"] == found["Gelu"] == TINY.depth
    assert found["LayerNormalization"] == 2 * TINY.depth + 4
    assert found["Resize"] == 5
    assert not {"IsNaN", "Softmax", "Erf", "Attention", "ReduceMean", "If", "Loop"} & set(found)
    onnx.checker.check_model(onnx.load(tiny.onnx))
    attention = next(node for node in onnx.load(tiny.onnx).graph.node if node.op_type == "MultiHeadAttention")
    assert attention.domain == "com.microsoft"
    assert {entry.name: onnx.helper.get_attribute_value(entry) for entry in attention.attribute} == {
        "num_heads": 1,
        "scale": 0.125,
    }


def test_a_dynamic_graph_declares_its_sizes_open_and_keeps_them_open(tiny: TinyModel) -> None:
    graph = onnx.load(tiny.onnx).graph
    assert dimensions(graph.input[0]) == ["batch", 3, "height", "width"]
    assert dimensions(graph.output[0]) == ["batch", "height", "width"]
    runner = open_runner(open_model_file(tiny.onnx), device="cpu", threads=None)
    for shape in ((1, 3, 126, 196), (3, 3, 196, 126), (2, 3, 14, 28)):
        assert runner.run(np.zeros(shape, np.float32)).shape == (shape[0], *shape[2:])


def test_a_static_graph_declares_its_size_and_computes_no_positions(tiny_static: TinyModel) -> None:
    graph = onnx.load(tiny_static.onnx).graph
    assert dimensions(graph.input[0]) == [1, 3, 126, 196]
    assert dimensions(graph.output[0]) == [1, 126, 196]
    assert not {"Range", "Where", "Shape"} & set(operators(tiny_static.onnx))
    assert read_contract(tiny_static.onnx).size == SizeRule((126, 196), 14, "letterbox")


@pytest.mark.parametrize(
    ("images", "height", "width"),
    [(1, 518, 518), (1, 252, 336), (2, 336, 252), (3, 14, 154)],
    ids=["native", "landscape", "portrait-batch", "one-row-batch"],
)
def test_a_dynamic_graph_answers_like_torch_at_every_size(
    tiny: TinyModel, images: int, height: int, width: int
) -> None:
    batch = photo_batch(height, width).repeat(images, 1, 1, 1)
    batch[-1] = batch[-1].flip(1)
    expected = answer(random_network(TINY), batch)
    assert difference(run(tiny.onnx, batch), expected) < SAME_FLOAT32


def test_a_static_plain_graph_needs_no_foreign_operator_and_holds_baked_positions(tmp_path: Path) -> None:
    network = random_network(GATED)
    batch = photo_batch(140, 182)
    rule = SizeRule((140, 182), 14, "letterbox")
    model = trace(network, replace(CONTRACT, size=rule, batch=1, attention="plain"))
    onnx_ir.save(model, path := tmp_path / "plain.onnx")
    assert difference(run(path, batch), answer(network, batch)) < SAME_FLOAT32
    graph = onnx.load(path)
    assert {entry.domain for entry in graph.opset_import} == {""}
    shapes = [tuple(tensor.dims) for tensor in graph.graph.initializer]
    assert (1, 130, GATED.width) in shapes
    assert (1, 257, GATED.width) not in shapes
    assert operators(path)["Softmax"] == GATED.depth


def test_tracing_leaves_the_network_as_it_was(tiny: TinyModel) -> None:
    network = random_network(TINY)
    batch = photo_batch(252, 336)
    before = answer(network, batch)
    rule = SizeRule((28, 42), 14, "letterbox")
    trace(network, replace(CONTRACT, size=rule, batch=1, precision="fp16"))
    assert torch.equal(answer(network, batch), before)
    assert all(weight.dtype == torch.float32 for weight in network.parameters())


def test_plain_attention_uses_no_operator_of_a_vendor(tmp_path: Path) -> None:
    plain = export_tiny(tmp_path, size=(70, 98), attention="plain", precision="fp16")  # as TensorRT takes it
    model = onnx.load(plain.onnx)
    assert {node.domain for node in model.graph.node} == {""}
    assert operators(plain.onnx)["Softmax"] == TINY.depth
    assert read_contract(plain.onnx).attention == "plain"


def test_a_half_precision_graph_has_half_weights_and_stays_close(tiny_half: TinyModel) -> None:
    weights = {tensor.data_type for tensor in onnx.load(tiny_half.onnx).graph.initializer}
    assert weights == {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    batch = photo_batch(126, 196)
    assert difference(run(tiny_half.onnx, batch), answer(random_network(TINY), batch)) < SAME_HALF


def test_a_graph_holds_no_unused_weight(tiny: TinyModel) -> None:
    held = {tensor.name.removeprefix("network.") for tensor in onnx.load(tiny.onnx).graph.initializer}
    assert "depth_head.scratch.refinenet4.resConfUnit2.conv1.weight" in held
    assert not [name for name in held if name.startswith(UNUSED)]


def test_a_graph_tells_nothing_of_the_machine_that_wrote_it(tiny: TinyModel) -> None:
    content = tiny.onnx.read_bytes()
    assert b"site-packages" not in content and str(Path(depthrt.__file__).parent).encode() not in content
    assert b".py" not in content
