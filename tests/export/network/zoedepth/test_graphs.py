"""The graph of ZoeDepth NK: clean operators, sizes, runtimes, and routes that differ inside a batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import onnx
import onnx_ir
import onnxruntime
import openvino
import pytest
import torch
from made import CONTRACT, canary_of_zeros
from network_answers import answer, difference
from random_zoedepth import random_zoe, routed_batch, tiny_zoe

from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth
from depthrt.export.trace import OPSET, trace

ALIKE = 1e-4  # largest difference over the range: the lowest temperature magnifies float32's rounding, 4e-5 measured

Traced = tuple[ZoeDepth, Path]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Return a tiny network with few attractors, each of which is six nodes, and its dynamic graph in a file."""
    network = random_zoe(replace(tiny_zoe("NK"), attractors=(2, 1, 1, 1)))
    path = tmp_path_factory.mktemp("graphs") / "zoe.onnx"
    contract = replace(CONTRACT, size=SizeRule((96, 128), 32, "minimal"), canary=canary_of_zeros((64, 96)))
    onnx_ir.save(trace(network, contract), path)
    seal_file(path, contract)
    return network, path


def test_the_graph_is_clean_and_its_output_follows_the_input(traced: Traced) -> None:
    model = onnx.load(traced[1])
    found = Counter(node.op_type for node in model.graph.node)
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "Erf", "If", "Loop"} & set(found)
    assert found["MultiHeadAttention"] == 4 + 4, "those of the core and of the router"
    sides = [side.dim_param for side in model.graph.output[0].type.tensor_type.shape.dim]
    assert sides == ["batch", "height", "width"]


@pytest.mark.parametrize("size_px", [(64, 96), (128, 64)])
def test_onnx_runtime_and_openvino_answer_like_torch_image_by_image(traced: Traced, size_px: tuple[int, int]) -> None:
    network, path = traced
    batch = routed_batch(*size_px, network.architecture)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = torch.cat([answer(network, image[None]) for image in batch])
    assert difference(torch.from_numpy(session.run(None, {"image": batch.numpy()})[0]), expected) < ALIKE
    assert difference(torch.from_numpy(compiled(batch.numpy())[0].copy()), expected) < ALIKE


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
def test_tensorrt_builds_it(traced: Traced, tmp_path: Path) -> None:
    assert build_engine(traced[1], tmp_path / "model.engine").header.plan_bytes > 100_000
