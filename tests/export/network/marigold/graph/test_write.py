"""The whole graph: clean operators, two sizes, one set of weights, alike in each runtime and each time."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import onnx
import onnx_ir
import onnxruntime
import openvino
import pytest
import torch
from made_marigold import contract_of, tiny_marigold
from network_answers import photo_batch
from torch import Tensor

from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.terms import AttentionOp
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.network.marigold.architecture import Variant
from depthrt.export.network.marigold.graph.write import OPSET, write_graph

ALLOWED = 1e-5  # of [0, 1], between a runtime and torch; 1e-6 to 5e-6 measured
SIZES_PX = ((72, 96), (96, 56))


def written(
    variant: Variant, steps: int | None = None, form: AttentionOp = "fused", size_px: tuple[int, int] | None = None
) -> onnx_ir.Model:
    network = tiny_marigold(variant, steps)
    return write_graph(network.architecture, network.state_dict(), contract_of(network, size_px), form)


def batch_of(size_px: tuple[int, int]) -> Tensor:
    return (photo_batch(*size_px) / 2).clamp(-1, 1)


def run(model: onnx_ir.Model, batch: Tensor) -> Tensor:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # ten steps take seconds
    options.intra_op_num_threads = 1
    whole = onnx_ir.to_proto(model).SerializeToString()
    session = onnxruntime.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"image": batch.numpy()})[0])


def difference(found: Tensor, variant: Variant, steps: int | None, batch: Tensor) -> float:
    with torch.inference_mode():
        expected = tiny_marigold(variant, steps)(batch)
    assert found.shape == expected.shape
    return float((found - expected).abs().max())


def test_a_graph_is_clean_and_its_output_follows_the_input() -> None:
    model = onnx_ir.to_proto(written("v1-1"))
    onnx.checker.check_model(model)
    kinds = {node.op_type for node in model.graph.node}
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "If", "Loop", "Erf", "RandomNormal"} & kinds
    for value, expected in (
        (model.graph.input[0], [1, 3, "height", "width"]),
        (model.graph.output[0], [1, "height", "width"]),
    ):
        assert [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim] == expected


@pytest.mark.parametrize(("variant", "steps"), [("v1-1", 2), ("lcm", 1), ("e2e-ft", 1)])
def test_a_dynamic_graph_answers_like_torch_at_two_sizes(variant: Variant, steps: int) -> None:
    model = written(variant, steps)
    for size_px in SIZES_PX:
        batch = batch_of(size_px)
        assert difference(run(model, batch), variant, steps, batch) < ALLOWED


def test_a_static_graph_and_plain_attention_answer_like_torch() -> None:
    batch = batch_of(SIZES_PX[0])
    model = written("v1-1", 1, "plain", SIZES_PX[0])
    assert difference(run(model, batch), "v1-1", 1, batch) < ALLOWED
    assert "MultiHeadAttention" not in {node.op_type for node in model.graph}


def test_more_steps_have_the_same_weights_and_two_graphs_are_the_same() -> None:
    one, ten = written("v1-1", 1), written("v1-1", 10)
    held = [
        sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value)
        for model in (one, ten)
    ]
    assert held[1] < 1.2 * held[0]  # a bias a unit and a step
    again = onnx_ir.to_proto(written("v1-1", 1)).SerializeToString(deterministic=True)
    assert onnx_ir.to_proto(one).SerializeToString(deterministic=True) == again


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graphs") / "marigold.onnx"
    onnx_ir.save(written("v1-1", 1), path)
    seal_file(path, contract_of(tiny_marigold("v1-1", 1)))
    return path


def test_openvino_answers_like_torch_at_two_sizes(file: Path) -> None:
    compiled = openvino.compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for size_px in SIZES_PX:
        batch = batch_of(size_px)
        found = torch.from_numpy(compiled(batch.numpy())[0].copy())
        assert difference(found, "v1-1", 1, batch) < ALLOWED


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
def test_tensorrt_builds_it(file: Path, tmp_path: Path) -> None:
    assert build_engine(file, tmp_path / "model.engine").header.plan_bytes > 100_000
