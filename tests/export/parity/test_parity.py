"""A written file is compared with torch on real pixels, and a file that departs is refused by numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from random_checkpoint import TINY, random_network
from tiny_model import PHOTOS, TinyModel

from depthrt import ParityError
from depthrt.engine.modelfile.contract import Contract, read_contract
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import PRECISIONS, Precision
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.export.parity import parity
from depthrt.export.parity.parity import TOLERANCE, Parity, check_parity, make_batch
from depthrt.export.to_onnx import Exported

SAME = 1e-5  # float32 sums in another order


def check(path: Path, contract: Contract, *, network: DepthAnything | None = None) -> tuple[Parity, ...]:
    network = network or random_network(TINY)
    return check_parity(path, contract, network, on_step=lambda title, done, wanted: None)


def test_a_dynamic_file_is_compared_at_two_sizes_and_with_a_batch(tiny: TinyModel) -> None:
    found = check(tiny.onnx, read_contract(tiny.onnx))
    assert [(compared.name, compared.images) for compared in found] == [("a photograph", 1), ("a batch of two", 2)]
    assert found[0].input_px != found[1].input_px
    assert all(0 < compared.drift <= compared.largest <= SAME for compared in found)


def test_a_static_file_is_compared_at_its_size(tiny_static: TinyModel) -> None:
    (found,) = check(tiny_static.onnx, read_contract(tiny_static.onnx))
    assert (found.name, found.input_px, found.images) == ("a photograph", (126, 196), 1)


def test_bf16_is_compared_in_float32_and_by_torch(tiny_bf16: Exported) -> None:
    assert (tiny_bf16.contract.precision, tiny_bf16.contract.attention) == ("bf16", "fused")
    rounded = ["the canary, in bf16 by torch", "a photograph, in bf16 by torch"]
    assert [compared.name for compared in tiny_bf16.parity] == ["a photograph", *rounded]
    # bf16 weights and arithmetic show
    assert all(1e-4 < compared.drift <= TOLERANCE["bf16"] for compared in tiny_bf16.parity)


def test_each_input_is_told_before_it_is_compared(tiny: TinyModel) -> None:
    steps: list[tuple[str, int, int]] = []
    check_parity(tiny.onnx, read_contract(tiny.onnx), random_network(TINY), on_step=lambda *step: steps.append(step))
    assert steps == [
        ("check the canary", 0, 1),
        ("compare with torch on a photograph", 0, 1),
        ("compare with torch on a batch of two", 0, 1),
    ]


def test_a_file_of_other_weights_is_refused_on_its_canary(tiny_static: TinyModel, tmp_path: Path) -> None:
    model = onnx.load(tiny_static.onnx)
    weights = next(tensor for tensor in model.graph.initializer if tensor.name.endswith("blocks.1.norm1.weight"))
    weights.CopyFrom(numpy_helper.from_array(1.1 * numpy_helper.to_array(weights), weights.name))
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ParityError, match=r"drift \S+ on the canary, at most 1e-05 is allowed in fp32; no file"):
        check(tmp_path / "other.onnx", read_contract(tiny_static.onnx))


def test_another_network_than_the_files_is_refused_on_a_photograph(tiny_static: TinyModel) -> None:
    network = random_network(TINY)
    with torch.no_grad():
        network.pretrained.norm.weight.mul_(1.01)
    with pytest.raises(ParityError, match=r"drift \S+ on a photograph, at most 1e-05 is allowed in fp32"):
        check(tiny_static.onnx, read_contract(tiny_static.onnx), network=network)


def test_an_answer_of_another_size_is_a_baked_size() -> None:
    batch = np.zeros((2, 3, 28, 42), np.float32)
    with pytest.raises(ParityError, match=r"on it the file answers \(1, 126, 196\), torch \(2, 28, 42\): the graph"):
        parity._compare(lambda images: np.zeros((1, 126, 196), np.float32), random_network(TINY), "it", batch)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_has_a_tolerance_and_a_way_out(precision: Precision) -> None:
    assert 0 < TOLERANCE[precision] < 0.05
    assert parity._WAY_OUT[precision] or precision == "fp32"


def test_drift_that_is_not_a_number_is_refused(tiny_static: TinyModel) -> None:
    with pytest.raises(ParityError, match="drift nan on it, at most 1 is allowed in fp32"):
        parity._judge(float("nan"), "it", read_contract(tiny_static.onnx), 1.0)


def test_a_photograph_is_fitted_to_the_contracts_size(tiny: TinyModel, tiny_static: TinyModel) -> None:
    contract = read_contract(tiny_static.onnx)
    batch = make_batch(PHOTOS / "coffee.jpg", contract)  # 600x400 px
    assert batch.shape == (1, 3, 126, 196) and batch.dtype == np.float32
    assert -3 < float(batch.min()) < float(batch.max()) < 3
    assert make_batch(PHOTOS / "coffee.jpg", read_contract(tiny.onnx)).shape == (1, 3, 126, 196)
    larger = replace(contract, size=SizeRule((28, 42), 14, "letterbox"))
    assert make_batch(PHOTOS / "coffee.jpg", larger).shape == (1, 3, 28, 42)
