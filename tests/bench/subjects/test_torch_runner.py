"""A checkpoint in torch, measured like a model file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from checkpoint_subjects import OPTIONS, depth_of, find
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.subjects.subject import open_subject
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
            exported = read_contract(model.onnx)
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
