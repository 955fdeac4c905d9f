"""A checkpoint in torch, measured like a model file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from checkpoint_subjects import OPTIONS, depth_of, find
from tiny_model import PHOTOS, TinyModel
from torch import nn

from depthrt.bench.subjects.checkpoint_options import TorchPrecision
from depthrt.bench.subjects.subject import open_subject
from depthrt.bench.subjects.torch_runner import DTYPES, TorchForm, TorchRunner, torch_contract
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.read import read_image
from depthrt.engine.modelfile.contract import read_contract

COFFEE = PHOTOS / "coffee.jpg"
BF16_DRIFT = 2e-2  # mean, of the range; 3e-3 measured on random weights


@pytest.fixture(autouse=True, scope="module")
def threads_as_before() -> Iterator[None]:
    """A subject sets torch's threads for the whole process; the tests after these get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_bf16_is_computed_in_bf16(tiny: TinyModel) -> None:
    exact, rounded = (depth_of(subject) for subject in find(tiny.checkpoint, precisions=("fp32", "bf16")))
    drift = np.abs(rounded - exact).mean() / np.ptp(exact)
    assert 1e-4 < drift < BF16_DRIFT


def test_the_contract_of_a_checkpoint_is_that_of_its_export(
    tiny: TinyModel, tiny_metric: TinyModel, tiny_static: TinyModel
) -> None:
    metric = replace(OPTIONS, kind="metric", max_depth_m=20.0)
    for model, options in ((tiny, OPTIONS), (tiny_metric, metric), (tiny_static, replace(OPTIONS, size=(126, 196)))):
        with open_subject(find(model.checkpoint, options=options)[0]).model as opened:
            exported = read_contract(model.onnx).without_digest()
            assert opened.contract == replace(exported, canary=opened.contract.canary, attention="plain")


def test_a_closed_torch_model_says_so(tiny: TinyModel) -> None:
    with open_subject(find(tiny.checkpoint)[0]).model as model:
        pass
    with pytest.raises(InputError, match="closed"):
        model.infer(read_image(COFFEE))


def test_what_torch_refuses_is_one_line(tiny: TinyModel) -> None:
    model = open_subject(find(tiny.checkpoint)[0]).model
    with pytest.raises(BackendUnavailable, match="torch fails on this machine") as caught:
        model.runner.run(np.zeros((1, 5, 126, 126), np.float32))  # five channels
    assert "\n" not in str(caught.value)


class Sum(nn.Module):
    """A network that adds the channels, each times a weight."""

    has_sky = False

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.seen: list[torch.dtype] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.seen.append(batch.dtype)
        return (batch * self.weight[:, None, None]).sum(1)


def test_a_network_answers_in_float32_whatever_it_computes_in() -> None:
    batch = np.full((2, 3, 4, 5), 0.5, np.float32)
    for precision in DTYPES:
        runner = TorchRunner(Sum(), TorchForm(precision=precision))  # type: ignore[arg-type]
        answer = runner.run(batch)
        assert answer.dtype == np.float32 and answer.shape == (2, 4, 5)
        assert runner.precision == precision
        assert (answer == 1.5).all()  # exact in all three


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_input_and_weights_are_rounded_to_the_precision(precision: TorchPrecision) -> None:
    batch = np.full((1, 3, 1, 1), 1 + 2**-12, np.float32)  # 1 in both
    assert TorchRunner(Sum(), TorchForm(precision=precision)).run(batch).item() == 3  # type: ignore[arg-type]
    assert TorchRunner(Sum(), TorchForm()).run(batch).item() > 3  # type: ignore[arg-type]


def test_a_runner_has_weights_that_nobody_else_changes() -> None:
    network = Sum()
    runner = TorchRunner(network, TorchForm())  # type: ignore[arg-type]
    batch = np.ones((1, 3, 1, 1), np.float32)
    with torch.no_grad():
        network.weight.zero_()
    assert runner.run(batch).item() == 3


def test_a_runner_is_named_by_how_torch_runs_it() -> None:
    runner = TorchRunner(Sum(), TorchForm(precision="bf16"))  # type: ignore[arg-type]
    assert (runner.name, runner.provider, runner.precision, runner.notes) == ("torch", "cpu", "bf16", ())
    runner.synchronise()  # returns at once on a CPU


def test_a_contract_holds_the_size_and_precision_and_no_canary(tiny: TinyModel) -> None:
    checkpoint = OPTIONS.read(tiny.checkpoint)
    contract = torch_contract(checkpoint, (28, 42), "bf16")
    assert (contract.size.base_px, contract.precision, contract.kind) == ((28, 42), "bf16", "inverse")
    assert contract.canary.size_px == (0, 0)
