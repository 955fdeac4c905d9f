"""The graphs of MiDaS' networks: clean operators, sizes, runtimes."""

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
from family_files import FAMILY_FILES, family_file
from made import CONTRACT, canary_of_zeros
from made_families import tiny_midas
from network_answers import SAME_FLOAT32, answer, difference, photo_batch
from torch import Tensor

from depthrt.engine.modelfile.contract import Contract
from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.network.midas.architecture import BeitArchitecture, HybridArchitecture
from depthrt.export.network.midas.swin.architecture import SwinArchitecture
from depthrt.export.network.midas.v21.architecture import LargeArchitecture
from depthrt.export.network.network import AnyArchitecture, Network
from depthrt.export.trace import OPSET, trace

SUBJECTS = ("large", "small", "swin2", "swin", "beit", "hybrid")  # ViT is a part of the last
SAME_RUNTIMES = 1e-5  # of the range, between ONNX Runtime and OpenVINO; up to 4e-6 measured for the transformers


@pytest.fixture(scope="module", params=SUBJECTS)
def traced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Network, Path]:
    """A tiny network, and its graph in a file."""
    name: str = request.param
    if name in FAMILY_FILES:
        shared = family_file(name, tmp_path_factory)
        return shared.network, shared.exported.path
    path = tmp_path_factory.mktemp("graphs") / f"{name}.onnx"
    network = tiny_midas(name)
    contract = contract_of(network)
    onnx_ir.save(trace(network, contract), path)
    seal_file(path, contract)
    return network, path


def contract_of(network: Network) -> Contract:
    match network.architecture:
        case SwinArchitecture(side_px=side_px):
            rule = SizeRule((side_px, side_px), 32, "square")
            return replace(CONTRACT, size=rule, batch=1, canary=canary_of_zeros(rule.base_px))
        case LargeArchitecture():
            rule = SizeRule((256, 256), 32, "upper_bound")
            return replace(CONTRACT, size=rule, attention="none", canary=canary_of_zeros((96, 160)))
    rule = SizeRule((96, 96), 32, "minimal")
    return replace(CONTRACT, size=rule, canary=canary_of_zeros((96, 160)))


def inputs_of(network: Network) -> list[Tensor]:
    """Return batches of the sizes that a network takes."""
    if isinstance(network.architecture, SwinArchitecture):
        return [photo_batch(network.architecture.side_px, network.architecture.side_px)]
    batches = [photo_batch(96, 160), photo_batch(160, 96)]
    return [batches[0], torch.cat((batches[1], batches[1].flip(3)))]


def test_a_graph_is_clean_and_its_output_follows_the_input(traced: tuple[Network, Path]) -> None:
    network, path = traced
    model = onnx.load(path)
    found = Counter(node.op_type for node in model.graph.node)
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "BatchNormalization", "Erf", "If", "Loop"} & set(found)
    assert (found["MultiHeadAttention"], found["Gelu"], found["Resize"]) == counts_of(network.architecture)
    sides = [side.dim_param or side.dim_value for side in model.graph.output[0].type.tensor_type.shape.dim]
    swin = isinstance(network.architecture, SwinArchitecture)
    assert sides == ([1, 128, 128] if swin else ["batch", "height", "width"])


def counts_of(architecture: AnyArchitecture) -> tuple[int, int, int]:
    """Return how many attentions, GELUs and resizes a network has."""
    match architecture:
        case SwinArchitecture():
            blocks = sum(architecture.depths)
            return blocks, blocks, 5
        case BeitArchitecture():
            return (
                architecture.depth,
                architecture.depth + 4,
                architecture.depth + 5,
            )  # a readout a level, a table a block
        case HybridArchitecture():
            return architecture.depth, architecture.depth + 2, 6
    return 0, 0, 5


def test_onnx_runtime_and_openvino_answer_like_torch(traced: tuple[Network, Path]) -> None:
    network, path = traced
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for batch in inputs_of(network):
        expected = answer(network, batch)
        first = torch.from_numpy(session.run(None, {"image": batch.numpy()})[0])
        second = torch.from_numpy(compiled(batch.numpy())[0].copy())
        assert difference(first, expected) < SAME_FLOAT32
        assert difference(second, expected) < SAME_FLOAT32
        assert difference(first, second) < SAME_RUNTIMES


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
def test_tensorrt_builds_it(traced: tuple[Network, Path], tmp_path: Path) -> None:
    assert build_engine(traced[1], tmp_path / "model.engine").header.plan_bytes > 100_000
