"""The graphs of MiDaS's transformers: clean operators, open sizes, torch's answers, and no bias that is folded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from math import prod
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import onnxruntime
import pytest
import torch
from made import CONTRACT
from network_answers import SAME_FLOAT32, difference, photo_batch
from random_midas import TINY_BEIT, TINY_HYBRID, random_midas

from depthrt.engine.errors import InputError
from depthrt.engine.modelfile.contract import SizeRule
from depthrt.engine.runners.openvino_runner import import_openvino
from depthrt.engine.terms import Precision
from depthrt.export.network.midas.architecture import TransformerArchitecture
from depthrt.export.trace import trace

OPEN = SizeRule((96, 96), 32, "lower_bound")
FIXED = SizeRule((64, 96), 32, "letterbox")
SIZES = [(1, 64, 96), (2, 96, 64)]
SAME_RUNTIMES = 1e-5  # of the range; 2e-6 measured between ONNX Runtime and OpenVINO

needs_rtx = pytest.mark.skipif(
    find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel for this platform"
)


@cache
def graph_of(architecture: TransformerArchitecture, rule: SizeRule, precision: Precision) -> bytes:
    """Return the bytes of an ONNX graph with fused attention."""
    contract = replace(CONTRACT, size=rule, batch=1 if rule.static else None, precision=precision)
    return bytes(onnx_ir.to_proto(trace(random_midas(architecture), contract)).SerializeToString())


def run_onnxruntime(graph: bytes, batch: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"image": batch.numpy()})[0])


def run_openvino(graph: bytes, batch: torch.Tensor) -> torch.Tensor:
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return torch.from_numpy(np.array(compiled(batch.numpy())[0]))


def photos(images: int, height: int, width: int) -> torch.Tensor:
    """Return a batch of different images."""
    batch = photo_batch(height, width).repeat(images, 1, 1, 1)
    batch[-1] = batch[-1].flip(1)
    return batch


@pytest.mark.parametrize("architecture", [TINY_BEIT, TINY_HYBRID], ids=["beit", "hybrid"])
def test_a_graph_with_open_sizes_is_clean_and_answers_like_torch_in_both_runtimes(
    architecture: TransformerArchitecture,
) -> None:
    graph = graph_of(architecture, OPEN, "fp32")
    model = onnx.load_from_string(graph)
    found = Counter(node.op_type for node in model.graph.node)
    assert found["MultiHeadAttention"] == architecture.depth
    assert not {"IsNaN", "Softmax", "If", "Loop"} & set(found)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == 23
    assert [side.dim_param for side in model.graph.output[0].type.tensor_type.shape.dim] == ["batch", "height", "width"]
    for shape in SIZES:
        batch = photos(*shape)
        with torch.inference_mode():
            expected = random_midas(architecture)(batch)
        answers = run_onnxruntime(graph, batch), run_openvino(graph, batch)
        assert all(difference(answer, expected) < SAME_FLOAT32 for answer in answers)
        assert difference(*answers) < SAME_RUNTIMES


def test_no_runtime_folds_the_biases_of_a_fixed_size_into_constants(tmp_path: Path) -> None:
    graph = graph_of(TINY_BEIT, FIXED, "fp32")
    pairs = TINY_BEIT.heads * (1 + 4 * 6) ** 2  # biases of a block; an index that is constant makes them constants
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3  # it warns that such a file is for this machine only
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    weights = [prod(tensor.dims) for tensor in onnx.load(options.optimized_model_filepath).graph.initializer]
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kept = [prod(node.get_output_shape(0)) for node in compiled.get_runtime_model().get_ops() if is_constant(node)]
    assert max(weights) == max(kept) == TINY_BEIT.width * 3 * 16 * 16  # the largest tensor, so they are listed
    assert pairs not in weights
    assert pairs not in kept
    batch = photos(1, 64, 96)
    with torch.inference_mode():
        assert difference(run_onnxruntime(graph, batch), random_midas(TINY_BEIT)(batch)) < SAME_FLOAT32


def is_constant(node: object) -> bool:
    """Return whether a node of OpenVINO's compiled model is a constant."""
    info = node.get_rt_info()  # type: ignore[attr-defined]
    return "layerType" in info and info["layerType"].astype(str) == "Const"


@needs_rtx
@pytest.mark.parametrize(
    ("architecture", "rule", "precision"),
    [
        (TINY_BEIT, OPEN, "fp32"),
        (TINY_BEIT, FIXED, "fp16"),
        (TINY_HYBRID, OPEN, "fp32"),
    ],
    ids=["beit", "beit-half", "hybrid"],
)
def test_tensorrt_builds_the_graph(architecture: TransformerArchitecture, rule: SizeRule, precision: Precision) -> None:
    import tensorrt_rtx_bindings as trt

    builder = trt.Builder(logger := trt.Logger(trt.Logger.ERROR))
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    assert parser.parse(graph_of(architecture, rule, precision)), parser.get_error(0)
    config = builder.create_builder_config()
    if not rule.static:
        profile = builder.create_optimization_profile()
        profile.set_shape("image", (1, 3, 32, 32), (1, 3, 64, 96), (2, 3, 96, 96))
        assert config.add_optimization_profile(profile) == 0
    assert builder.build_serialized_network(network, config) is not None


def test_a_side_that_is_not_a_multiple_of_32_is_refused_in_one_line() -> None:
    expected = "^input of 96x80 px found, both sides must be multiples of 32; resize the image$"
    with pytest.raises(InputError, match=expected):
        random_midas(TINY_HYBRID)(torch.zeros(1, 3, 96, 80))
