"""A network whose every answer is rounded departs from float32 as far as torch in that precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_midas_swin import TINY_SWIN2, random_swin
from network_answers import photo_batch
from random_checkpoint import TINY, random_network
from torch import Tensor

from depthrt.engine.modelfile.canary import drift
from depthrt.engine.terms import Precision
from depthrt.export.network.midas.swin.attention import Attention2, UnitVectors
from depthrt.export.parity.parity import torch_answer
from depthrt.export.parity.rounding import rounded_answer
from depthrt.export.precision import DTYPES, FLOAT32_MODULES, set_precision

SWIN_DRIFT = 2e-2  # 4e-3 measured; 3e-1 where the squares overflow
ALIKE = 1.5  # of two ways to round everything, which place the roundings apart; 0.93 to 1.08 measured


def test_rounding_every_answer_departs_as_far_as_torch_in_half_precision() -> None:
    network, half = random_network(TINY), random_network(TINY)
    half.set_attention("plain")
    set_precision(half, "fp16")
    batch = photo_batch(126, 196).numpy()
    reference, found = torch_answer(network, batch), rounded_answer(network, "fp16")(batch)
    with torch.inference_mode():
        expected = half(torch.from_numpy(batch).half()).float().numpy()
    assert 1 / ALIKE <= drift(found, reference) / drift(expected, reference) <= ALIKE


@pytest.mark.parametrize("precision", ["fp16", "fp16-safe", "bf16"])
def test_an_answer_holds_only_numbers_of_the_precision(precision: Precision) -> None:
    found = rounded_answer(random_network(TINY), precision)(photo_batch(70, 84).numpy())
    assert found.dtype == np.float32 and found.shape == (1, 70, 84)
    values = torch.from_numpy(found)
    assert torch.equal(values.to(DTYPES[precision]).float(), values)


def test_the_network_that_is_rounded_stays_as_it_was() -> None:
    network = random_network(TINY)
    batch = photo_batch(70, 84).numpy()
    before = torch_answer(network, batch)
    rounded_answer(network, "bf16")(batch)
    assert np.array_equal(torch_answer(network, batch), before)
    assert all(weight.dtype == torch.float32 for weight in network.parameters())


def test_numbers_beyond_a_precision_become_infinite() -> None:
    network = random_network(TINY)
    with torch.no_grad():
        network.depth_head.scratch.get_parameter("output_conv2.2.bias").fill_(1e5)  # fp16 ends at 65504
    batch = photo_batch(70, 84).numpy()
    assert np.isinf(rounded_answer(network, "fp16")(batch)).any()
    assert np.isfinite(rounded_answer(network, "bf16")(batch)).all()


def test_modules_in_float32_round_nothing_but_their_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_squares(self: UnitVectors, vectors: Tensor) -> Tensor:
        return vectors / (vectors * vectors).sum(-1, keepdim=True).sqrt()

    monkeypatch.setattr(UnitVectors, "forward", by_squares)  # each operator is rounded, as in a graph
    network = random_swin(TINY_SWIN2)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, Attention2):  # the squares of queries and keys are beyond fp16 then
                module.qkv.weight *= 300
                module.proj.weight /= 300
    batch = photo_batch(128, 128).numpy()
    expected = torch_answer(network, batch)
    assert drift(rounded_answer(network, "fp16")(batch), expected) < SWIN_DRIFT
    monkeypatch.setitem(FLOAT32_MODULES, "fp16", ())
    assert drift(rounded_answer(network, "fp16")(batch), expected) > 5 * SWIN_DRIFT
