from __future__ import annotations

import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from random_checkpoint import TINY, random_network, save_official
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt import BackendUnavailable, InputError, ParityError, load
from depthrt.engine.images.preprocess import Float32, fit_image, to_input
from depthrt.engine.modelfile.canary import drift
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.shipped import model_path
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.checkpoint.checkpoint import Checkpoint, load_network, read_checkpoint
from depthrt.export.parity.float32_twin import float32_twin
from depthrt.export.parity.parity import TOLERANCE, torch_answer
from depthrt.export.parity.rounding import rounded_answer
from depthrt.export.precision import set_precision
from depthrt.export.to_onnx import Exported, export_onnx

SIZE = (126, 196)
NORMS = 2 * TINY.depth + 4
HALF_DRIFT = 3e-3  # mean over the range: what fp16 may cost
NO_WORSE = 1.25  # 1.02 to 1.04 on three kinds of CPU: float32 norms round at other places
ALIKE = 1.5  # of two ways to round everything, which place the roundings apart; 0.93 to 1.08 measured
SAME = 1e-5  # float32 sums in another order
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def export(tiny: TinyModel, folder: Path, precision: str) -> Exported:
    checkpoint = read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")
    return export_onnx(checkpoint, folder / "model.onnx", size=SIZE, precision=precision)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def safe(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("safe"), "fp16-safe")


@pytest.fixture(scope="module")
def brain(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(tiny, tmp_path_factory.mktemp("bf16"), "bf16")


def input_types(path: Path, operator: str) -> Counter[int]:
    """Count the types of the first input of every node of an operator."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    types = {one.name: one.type.tensor_type.elem_type for one in (*graph.value_info, *graph.input, *graph.output)}
    return Counter(types[node.input[0]] for node in graph.node if node.op_type == operator)


def photo_drift(path: Path, reference: Path, name: str = "coffee") -> float:
    image = depthrt.read_image(PHOTOS / f"{name}.jpg")
    values = []
    for one in (path, reference):
        with depthrt.load(one) as model:
            values.append(model.infer(image).values)
    return drift(values[0], values[1])


def inputs(contract: Contract) -> list[Float32]:
    """Return the photographs as the network takes them."""
    found = []
    for name in PHOTOGRAPHS:
        image = depthrt.read_image(PHOTOS / f"{name}.jpg")
        fit = fit_image(contract.size, (image.shape[0], image.shape[1]))
        found.append(np.empty((1, 3, *fit.input_px), np.float32))
        to_input(image, contract, fit, color="bgr", out=found[-1][0])
    return found


def mean_drifts(path: Path, checkpoint: Checkpoint) -> dict[str, float]:
    """Return how far the photographs are from float32 torch: of a file in ONNX Runtime, and of torch in its precision.

    ONNX Runtime computes an fp16 file in float32 on most CPUs, so torch is asked too: it rounds every answer to fp16.
    """
    contract, network = read_contract(path), load_network(checkpoint)
    rounded = load_network(checkpoint)
    rounded.set_attention("plain" if contract.attention == "plain" else "eager")
    dtype = set_precision(rounded, contract.precision)
    runner = open_runner(open_model_file(path), device="cpu", threads=None)
    found: dict[str, list[float]] = {"onnx": [], "torch": []}
    for batch in inputs(contract):
        reference = torch_answer(network, batch)
        found["onnx"].append(drift(runner.run(batch), reference))
        with torch.inference_mode():
            answer = rounded(torch.from_numpy(batch).to(dtype)).float().numpy()
        found["torch"].append(drift(answer, reference))
    runner.close()
    return {name: float(np.mean(values)) for name, values in found.items()}  # inf where a value is not finite


def test_fp16_and_fp16_safe_keep_the_depth_of_photographs(vits_half: TinyModel, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(vits_half.checkpoint, family="depth-anything-v2", kind="inverse")
    safe = export_onnx(checkpoint, tmp_path / "safe.onnx", size=(126, 168), precision="fp16-safe").path
    half, careful = mean_drifts(vits_half.onnx, checkpoint), mean_drifts(safe, checkpoint)
    for name, allowed in half.items():
        assert 0 < allowed <= HALF_DRIFT, name
        assert 0 < careful[name] <= NO_WORSE * allowed, name


def test_the_default_model_keeps_the_depth_of_photographs_in_fp16(default_half: TinyModel) -> None:
    checkpoint = read_checkpoint(default_half.checkpoint)
    contract, network = read_contract(model_path("default")), load_network(checkpoint)
    runner = open_runner(open_model_file(model_path("default")), device="cpu", threads=None)
    batch = inputs(contract)[0]
    assert drift(runner.run(batch), torch_answer(network, batch)) <= SAME  # these are its weights
    runner.close()
    for name, found in mean_drifts(default_half.onnx, checkpoint).items():
        assert 0 < found <= HALF_DRIFT, name


def test_fp16_safe_keeps_norms_and_softmax_in_float32(safe: Exported) -> None:
    assert input_types(safe.path, "LayerNormalization") == {TensorProto.FLOAT: NORMS}
    assert input_types(safe.path, "Softmax") == {TensorProto.FLOAT: TINY.depth}
    assert set(input_types(safe.path, "MatMul")) == {TensorProto.FLOAT16}
    assert set(input_types(safe.path, "Conv")) == {TensorProto.FLOAT16}
    onnx.checker.check_model(onnx.load(safe.path))


def test_fp16_safe_is_recorded_and_runs_on_the_cpu(safe: Exported, tiny_static: TinyModel) -> None:
    contract = read_contract(safe.path)
    assert (contract.precision, contract.attention) == ("fp16-safe", "plain")
    assert photo_drift(safe.path, tiny_static.onnx) <= HALF_DRIFT


def test_the_borders_of_every_precision_are_float32(safe: Exported, brain: Exported) -> None:
    for exported in (safe, brain):
        graph = onnx.load(exported.path).graph
        assert [one.type.tensor_type.elem_type for one in (*graph.input, *graph.output)] == [TensorProto.FLOAT] * 2


def test_a_softmax_in_float32_survives_logits_that_fp16_cannot_tell_apart() -> None:
    network = random_network(TINY)
    tokens = torch.randn(1, 40, TINY.width, generator=torch.Generator().manual_seed(1))
    attention = network.pretrained.blocks[0].get_submodule("attn")
    with torch.inference_mode():
        network.set_attention("plain")
        exact = attention(tokens)
        set_precision(network, "fp16-safe")
        found = attention(tokens.half())
    assert found.dtype == torch.float16
    assert float((found.float() - exact).abs().max() / exact.abs().max()) <= HALF_DRIFT


def test_norms_in_float32_survive_activations_at_the_edge_of_fp16() -> None:
    large = torch.tensor([[60000.0, -60000.0, 1000.0, 0.0] * (TINY.width // 4)])  # their squares are inf in fp16
    network = random_network(TINY)
    with torch.inference_mode():
        exact = network.pretrained.norm(large)
        set_precision(network, "fp16-safe")
        found = network.pretrained.norm(large.half())
    assert found.dtype == torch.float16 and torch.isfinite(found).all()
    assert float((found.float() - exact).abs().max()) <= HALF_DRIFT


def test_fused_attention_is_refused_in_fp16_safe(tiny: TinyModel, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")
    with pytest.raises(InputError, match=r"fused attention found with fp16-safe.*use plain"):
        export_onnx(checkpoint, tmp_path / "model.onnx", size=SIZE, precision="fp16-safe", attention="fused")


def test_bf16_is_checked_in_float32_and_by_torch(brain: Exported) -> None:
    assert (brain.contract.precision, brain.contract.attention) == ("bf16", "fused")
    rounded = ["the canary, in bf16 by torch", "a photograph, in bf16 by torch"]
    assert [one.name for one in brain.parity] == ["a photograph", *rounded]
    assert all(1e-4 < one.drift <= TOLERANCE["bf16"] for one in brain.parity)  # bf16 weights and arithmetic show


def test_rounding_every_answer_departs_as_far_as_torch_in_half_precision(tiny: TinyModel) -> None:
    checkpoint = read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")
    network, half = load_network(checkpoint), load_network(checkpoint)
    half.set_attention("plain")
    set_precision(half, "fp16")
    batch = inputs(read_contract(tiny.onnx))[0]
    reference, found = torch_answer(network, batch), rounded_answer(network, "fp16")(batch)
    with torch.inference_mode():
        expected = half(torch.from_numpy(batch).half()).float().numpy()
    assert 1 / ALIKE <= drift(found, reference) / drift(expected, reference) <= ALIKE


@pytest.fixture(scope="module")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A network of the same function as any, with activations beyond the range of fp16 on the way."""
    network = random_network(TINY)
    with torch.no_grad():
        for name in ("mlp.fc2.weight", "mlp.fc2.bias"):
            network.pretrained.blocks[1].get_parameter(name).mul_(3e4)
        network.pretrained.blocks[1].get_parameter("ls2.gamma").div_(3e4)
    path = save_official(network, tmp_path_factory.mktemp("beyond") / "beyond.pth")
    return read_checkpoint(path, family="depth-anything-v2", kind="inverse")


@pytest.mark.parametrize("precision", ["fp16", "fp16-safe"])
def test_weights_that_overflow_in_fp16_are_refused_in_it(beyond: Checkpoint, tmp_path: Path, precision: str) -> None:
    with pytest.raises(
        ParityError, match=rf"drift inf on the canary, in {precision} by torch.*try --precision fp32, or bf16"
    ):
        export_onnx(beyond, tmp_path / "model.onnx", size=(56, 84), precision=precision)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_weights_that_overflow_in_fp16_are_taken_in_bf16(beyond: Checkpoint, tmp_path: Path) -> None:
    assert export_onnx(beyond, tmp_path / "model.onnx", size=(56, 84), precision="bf16").path.is_file()


def test_a_temporary_folder_that_refuses_is_named(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    for precision in ("int8", "bf16"):
        with pytest.raises(InputError, match=r"temporary files cannot be written to .*gone: No such file.*TMPDIR"):
            export(tiny, tmp_path, precision)
    assert list(tmp_path.iterdir()) == []


def test_a_cpu_refuses_a_bf16_file_and_says_what_to_export(brain: Exported) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"is bf16, which ONNX Runtime does not compute on a CPU.*--precision fp32"
    ):
        load(brain.path, device="cpu")


def test_bf16_keeps_transposed_convolutions_in_float32(brain: Exported) -> None:
    assert input_types(brain.path, "ConvTranspose") == {TensorProto.FLOAT: 2}
    assert set(input_types(brain.path, "Conv")) == {TensorProto.BFLOAT16}
    onnx.checker.check_model(onnx.load(brain.path))


def test_the_twin_of_a_bf16_file_has_its_weights_in_float32(brain: Exported) -> None:
    with float32_twin(brain.path) as path:
        twin, original = onnx.load(path), onnx.load(brain.path)
    assert [node.op_type for node in twin.graph.node] == [node.op_type for node in original.graph.node]
    types = Counter(one.data_type for one in twin.graph.initializer)
    assert TensorProto.BFLOAT16 not in types and types[TensorProto.FLOAT] > TINY.depth
    for one, other in zip(twin.graph.initializer, original.graph.initializer, strict=True):
        if other.data_type == TensorProto.BFLOAT16:
            expected = onnx.numpy_helper.to_array(other).astype(np.float32)
            assert np.array_equal(onnx.numpy_helper.to_array(one), expected)


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
@pytest.mark.parametrize("name", ["safe", "brain"])
def test_tensorrt_builds_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    exported: Exported = request.getfixturevalue(name)
    header = build_engine(exported.path, tmp_path / "model.engine").header
    assert header.precision == exported.contract.precision and header.plan_bytes > 1_000_000
