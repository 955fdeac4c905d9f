"""Graphs of ZoeDepth: clean operators, sizes, runtimes, and routes of NK that differ inside a batch."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import onnx
import onnxruntime
import openvino
import pytest
import torch
from family_files import family_file
from network_answers import answer, difference
from random_zoedepth import routed_batch

from depthrt.engine.trt.build.build import build_engine
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth
from depthrt.export.trace import OPSET

ALIKE = 1e-4  # largest difference over the range: the lowest temperature magnifies float32's rounding, 4e-5 measured

Traced = tuple[ZoeDepth, Path]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Return a tiny NK network and its dynamic graph in a file."""
    shared = family_file("zoedepth", tmp_path_factory)
    assert isinstance(shared.network, ZoeDepth)
    return shared.network, shared.exported.path


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
