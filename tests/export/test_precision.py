"""A network in a lower precision keeps the depth of photographs, with float32 in the places that need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from made_midas_swin import TINY_SWIN2, random_swin
from onnx import TensorProto
from random_checkpoint import TINY, random_network, save_official
from random_zoedepth import random_zoe, tiny_zoe
from tiny_model import PHOTOS, TinyModel, read_inverse

import depthrt
from depthrt import BackendUnavailable, InputError, ParityError, load
from depthrt.engine.images.preprocess import Float32
from depthrt.engine.modelfile.canary import drift
from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.model_file import open_model_file
from depthrt.engine.modelfile.shipped import model_path
from depthrt.engine.runners.open_runner import open_runner
from depthrt.engine.terms import PRECISIONS, Precision
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.checkpoint.checkpoint import Checkpoint, load_network, read_checkpoint
from depthrt.export.parity.parity import make_batch, torch_answer
from depthrt.export.precision import DTYPES, InFloat32, kinds_in_float32, set_precision
from depthrt.export.to_onnx import Exported, export_onnx

NORMS = 2 * TINY.depth + 4
HALF_DRIFT = 3e-3  # mean over the range: what fp16 may cost
NO_WORSE = 1.25  # 1.02 to 1.04 on three kinds of CPU: float32 norms round at other places
SAME = 1e-5  # float32 sums in another order
PHOTOGRAPHS = [PHOTOS / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee", "rocket")]


def input_types(path: Path, operator: str) -> Counter[int]:
    """Count the types of the first input of every node of an operator."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)}
    return Counter(types[node.input[0]] for node in graph.node if node.op_type == operator)


def photo_drift(path: Path, reference: Path, name: str = "coffee") -> float:
    image = depthrt.read_image(PHOTOS / f"{name}.jpg")
    values = []
    for file in (path, reference):
        with depthrt.load(file) as model:
            values.append(model.infer(image).values)
    return drift(values[0], values[1])


def mean_drift(found: Sequence[Float32], references: Float32) -> float:
    """Return the mean drift over photographs; inf if a value is not finite."""
    return float(np.mean([drift(depth, reference) for depth, reference in zip(found, references, strict=True)]))


def mean_drifts(path: Path, checkpoint: Checkpoint) -> dict[str, float]:
    """Return the drift of photographs from float32 torch: of a file in ONNX Runtime, and of torch in its precision.

    ONNX Runtime computes an fp16 file in float32 on most CPUs, so torch is asked too: it rounds every answer to fp16.
    """
    contract, network = read_contract(path), load_network(checkpoint)
    batch = np.concatenate([make_batch(photograph, contract) for photograph in PHOTOGRAPHS])  # (4, 3, h, w)
    references = torch_answer(network, batch)
    runner = open_runner(open_model_file(path), device="cpu", threads=None)
    in_onnx = [runner.run(image[None])[0] for image in batch]
    runner.close()
    network.set_attention("plain" if contract.attention == "plain" else "eager")
    dtype = set_precision(network, contract.precision)
    with torch.inference_mode():
        in_torch = network(torch.from_numpy(batch).to(dtype)).float().numpy()
    return {"onnx": mean_drift(in_onnx, references), "torch": mean_drift(in_torch, references)}


def test_fp16_and_fp16_safe_keep_the_depth_of_photographs(vits_half: TinyModel, tmp_path: Path) -> None:
    checkpoint = read_inverse(vits_half)
    safe = export_onnx(checkpoint, tmp_path / "safe.onnx", size=(126, 168), precision="fp16-safe").path
    half, careful = mean_drifts(vits_half.onnx, checkpoint), mean_drifts(safe, checkpoint)
    for name, allowed in half.items():
        assert 0 < allowed <= HALF_DRIFT, name
        assert 0 < careful[name] <= NO_WORSE * allowed, name


def test_the_default_model_keeps_the_depth_of_photographs_in_fp16(default_half: TinyModel) -> None:
    checkpoint = read_checkpoint(default_half.checkpoint)
    contract, network = read_contract(model_path("default")), load_network(checkpoint)
    runner = open_runner(open_model_file(model_path("default")), device="cpu", threads=None)
    batch = make_batch(PHOTOGRAPHS[0], contract)
    assert drift(runner.run(batch), torch_answer(network, batch)) <= SAME  # these are its weights
    runner.close()
    for name, found in mean_drifts(default_half.onnx, checkpoint).items():
        assert 0 < found <= HALF_DRIFT, name


def test_fp16_safe_keeps_norms_and_softmax_in_float32(tiny_safe: Exported) -> None:
    assert input_types(tiny_safe.path, "LayerNormalization") == {TensorProto.FLOAT: NORMS}
    assert input_types(tiny_safe.path, "Softmax") == {TensorProto.FLOAT: TINY.depth}
    assert set(input_types(tiny_safe.path, "MatMul")) == {TensorProto.FLOAT16}
    assert set(input_types(tiny_safe.path, "Conv")) == {TensorProto.FLOAT16}
    onnx.checker.check_model(onnx.load(tiny_safe.path))


def test_fp16_safe_is_recorded_and_runs_on_the_cpu(tiny_safe: Exported, tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_safe.path)
    assert (contract.precision, contract.attention) == ("fp16-safe", "plain")
    assert contract.in_float32 == ("LayerNorm", "softmax")
    assert photo_drift(tiny_safe.path, tiny_static.onnx) <= HALF_DRIFT


def test_the_borders_of_every_precision_are_float32(tiny_safe: Exported, tiny_bf16: Exported) -> None:
    for exported in (tiny_safe, tiny_bf16):
        graph = onnx.load(exported.path).graph
        assert [value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)] == [TensorProto.FLOAT] * 2


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


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_network_is_in_its_precision_but_for_what_stays_in_float32(precision: Precision) -> None:
    network = random_network(TINY)
    dtype = set_precision(network, precision)
    assert dtype == DTYPES[precision]
    wrapped = [module for module in network.modules() if isinstance(module, InFloat32)]
    kept = {id(weight) for module in wrapped for weight in module.parameters()}
    assert bool(kept) == (precision in ("fp16-safe", "bf16"))
    for weight in network.parameters():
        assert weight.dtype == (torch.float32 if id(weight) in kept else dtype)


def test_fused_attention_is_refused_in_fp16_safe(tiny: TinyModel, tmp_path: Path) -> None:
    checkpoint = read_inverse(tiny)
    with pytest.raises(InputError, match=r"fused attention found with fp16-safe.*use plain"):
        export_onnx(checkpoint, tmp_path / "model.onnx", size=(126, 196), precision="fp16-safe", attention="fused")


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
        ParityError, match=rf"drift inf on the canary, in {precision} by torch.*try --precision .*fp32, or bf16"
    ):
        export_onnx(beyond, tmp_path / "model.onnx", size=(56, 84), precision=precision)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_weights_that_overflow_in_fp16_are_taken_in_bf16(beyond: Checkpoint, tmp_path: Path) -> None:
    assert export_onnx(beyond, tmp_path / "model.onnx", size=(56, 84), precision="bf16").path.is_file()


def test_a_cpu_refuses_a_bf16_file_and_says_what_to_export(tiny_bf16: Exported) -> None:
    with pytest.raises(
        BackendUnavailable, match=r"is bf16, which ONNX Runtime does not compute on a CPU.*--precision fp32"
    ):
        load(tiny_bf16.path, device="cpu")


def test_bf16_keeps_transposed_convolutions_in_float32(tiny_bf16: Exported) -> None:
    assert input_types(tiny_bf16.path, "ConvTranspose") == {TensorProto.FLOAT: 2}
    assert set(input_types(tiny_bf16.path, "Conv")) == {TensorProto.BFLOAT16}
    onnx.checker.check_model(onnx.load(tiny_bf16.path))


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
@pytest.mark.parametrize("name", ["tiny_safe", "tiny_bf16"])
def test_tensorrt_builds_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    exported: Exported = request.getfixturevalue(name)
    header = build_engine(exported.path, tmp_path / "model.engine").header
    assert header.precision == exported.contract.precision and header.plan_bytes > 1_000_000


def test_what_stays_in_float32_is_named() -> None:
    network = random_network(TINY)
    assert kinds_in_float32(network, "fp32") == kinds_in_float32(network, "fp16") == ()
    assert kinds_in_float32(network, "fp16-safe") == ("LayerNorm", "softmax")
    assert kinds_in_float32(network, "bf16") == ("ConvTranspose2d",)
    assert kinds_in_float32(random_swin(TINY_SWIN2), "fp16") == ("UnitVectors",)
    assert "attractors" in kinds_in_float32(random_zoe(tiny_zoe("N")), "fp16")
