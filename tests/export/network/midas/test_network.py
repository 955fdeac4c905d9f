"""MiDaS's transformers at fixed sizes: no runtime keeps the biases of pairs, and half precision builds."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from math import prod
from pathlib import Path

import onnx
import onnx_ir
import onnxruntime
import openvino
import pytest
import torch
from made import CONTRACT, canary_of_zeros
from network_answers import SAME_FLOAT32, answer, difference, photo_batch
from random_midas import TINY_BEIT, TINY_HYBRID, random_midas

from depthrt.engine.errors import InputError
from depthrt.engine.modelfile.seal import seal_file
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import Precision
from depthrt.engine.trt.build.build import build_engine
from depthrt.export.trace import trace

SIZE_PX = (64, 96)


def save_beit(path: Path, precision: Precision) -> Path:
    """Write the graph of a tiny BEiT at a fixed size."""
    contract = replace(
        CONTRACT,
        size=SizeRule(SIZE_PX, 32, "letterbox"),
        batch=1,
        precision=precision,
        canary=canary_of_zeros(SIZE_PX),
    )
    onnx_ir.save(trace(random_midas(TINY_BEIT), contract), path)
    seal_file(path, contract)
    return path


def test_no_runtime_folds_the_biases_of_a_fixed_size_into_constants(tmp_path: Path) -> None:
    path = save_beit(tmp_path / "beit.onnx", "fp32")
    pairs = TINY_BEIT.heads * (1 + 4 * 6) ** 2  # biases of a block; an index that is constant makes them constants
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3  # it warns that such a file is for this machine only
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    weights = [prod(tensor.dims) for tensor in onnx.load(options.optimized_model_filepath).graph.initializer]
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kept = [prod(node.get_output_shape(0)) for node in compiled.get_runtime_model().get_ops() if is_constant(node)]
    assert max(weights) == max(kept) == TINY_BEIT.width * 3 * 16 * 16  # the largest tensor, so they are listed
    assert pairs not in weights
    assert pairs not in kept
    batch = photo_batch(*SIZE_PX)
    found = torch.from_numpy(session.run(None, {"image": batch.numpy()})[0])
    assert difference(found, answer(random_midas(TINY_BEIT), batch)) < SAME_FLOAT32


def is_constant(node: object) -> bool:
    """Return whether a node of OpenVINO's compiled model is a constant."""
    info = node.get_rt_info()  # type: ignore[attr-defined]
    return "layerType" in info and info["layerType"].astype(str) == "Const"


@pytest.mark.skipif(find_spec("tensorrt_rtx_bindings") is None, reason="tensorrt_rtx_bindings has no wheel here")
def test_tensorrt_builds_attention_with_a_bias_in_half_precision(tmp_path: Path) -> None:
    path = save_beit(tmp_path / "beit.onnx", "fp16")
    assert build_engine(path, tmp_path / "beit.engine").header.plan_bytes > 100_000


def test_a_side_that_is_not_a_multiple_of_32_is_refused_in_one_line() -> None:
    expected = "^input of 96x80 px found, both sides must be multiples of 32; resize the image$"
    with pytest.raises(InputError, match=expected):
        random_midas(TINY_HYBRID)(torch.zeros(1, 3, 96, 80))
