"""The memory of a step that is said before a training is what a step takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import QUICK
from torch import Tensor

from depthrt.export.network.network import Network
from depthrt.finetune.adapt.freeze import freeze
from depthrt.finetune.adapt.memory import MIB, StepMemory, free_memory, step_memory
from depthrt.finetune.adapt.recompute import recompute_parts
from depthrt.finetune.training.options import TrainOptions

CLOSE = 0.1  # relative: the true network keeps a few small tensors in other storages


def said(options: TrainOptions, *, side_px: int = 112, batch: int = 2) -> StepMemory:
    network = random_network(TINY)
    freeze(network, options)
    return step_memory(network, options, size_px=(side_px, side_px), batch=batch)


def kept_mib(network: Network, options: TrainOptions) -> float:
    """Return what a true forward pass keeps, besides weights."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    sizes: dict[int, int] = {}
    alive = []

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(value)
        return value

    batch = torch.rand((2, 3, 112, 112))
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value),
        torch.autocast("cpu", torch.bfloat16, enabled=options.bf16, cache_enabled=not options.recompute),
    ):
        network.values(batch)
    return sum(sizes.values()) / MIB


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("bf16", [False, True])
def test_what_is_said_to_be_kept_is_kept(bf16: bool, recompute: bool) -> None:
    options = replace(QUICK, bf16=bf16, recompute=recompute)
    network = random_network(TINY).train()
    freeze(network, options)
    if recompute:
        recompute_parts(network)
    assert said(options).kept_mib == pytest.approx(kept_mib(network, options), rel=CLOSE)


def test_weights_gradients_and_moments_are_counted() -> None:
    found = said(QUICK)
    assert found.gradients_mib == pytest.approx(found.trained * 4 / MIB)
    assert found.optimiser_mib == 2 * found.gradients_mib
    assert found.weights_mib == found.average_mib > found.gradients_mib
    assert found.start_mib == 0
    assert said(replace(QUICK, average_decay=0.0)).average_mib == 0
    assert said(replace(QUICK, distillation_weight=1.0)).start_mib == found.weights_mib
    frozen = said(replace(QUICK, freeze_encoder=True))
    assert frozen.trained < found.trained and frozen.kept_mib < found.kept_mib
    assert found.total_mib > found.kept_mib + found.optimiser_mib


def test_larger_images_and_batches_keep_more_and_weights_stay() -> None:
    small, large = said(QUICK, side_px=112), said(QUICK, side_px=224)
    assert 3 < large.kept_mib / small.kept_mib < 7
    assert small.weights_mib == large.weights_mib
    assert said(QUICK, batch=4).kept_mib == pytest.approx(2 * small.kept_mib, rel=CLOSE)


def test_free_memory_is_that_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_memory("cpu") is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (3 * MIB, 8 * MIB))
    assert free_memory("cuda") == 3
