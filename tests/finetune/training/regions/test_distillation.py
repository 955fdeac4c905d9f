"""Distillation keeps the answers outside flat regions, and leaves the inside and a margin free."""

from __future__ import annotations

import pytest
import torch
from random_checkpoint import TINY, random_network

from depthrt.finetune.training.regions.distillation import distillation_loss, outside_flat, starting_network

SAME = 1e-6


def maps(seed: int) -> torch.Tensor:
    return 1 + torch.rand((2, 64, 64), generator=torch.Generator().manual_seed(seed))


def test_pixels_inside_and_near_a_flat_part_are_free() -> None:
    parts = torch.zeros((1, 64, 128), dtype=torch.int64)
    parts[:, 20:40, 50:80] = 1
    outside = outside_flat(parts)
    assert not outside[0, 19:41, 49:81].any()
    assert outside[0, :19].all() and outside[0, 41:].all() and outside[0, :, :49].all() and outside[0, :, 81:].all()


@pytest.mark.parametrize("metric", [False, True])
def test_the_same_answer_has_no_loss_and_another_has(metric: bool) -> None:
    everywhere = torch.ones((2, 64, 64), dtype=torch.bool)
    assert float(distillation_loss(maps(0), maps(0), everywhere, metric=metric)) == 0
    assert float(distillation_loss(maps(1), maps(0), everywhere, metric=metric)) > 0.1
    nowhere = ~everywhere
    assert float(distillation_loss(maps(1), maps(0), nowhere, metric=metric)) == 0


def test_metres_differ_by_their_ratio() -> None:
    everywhere = torch.ones((2, 64, 64), dtype=torch.bool)
    loss = distillation_loss(1.02 * maps(0), maps(0), everywhere, metric=True)
    assert float(loss) == pytest.approx(0.0198, rel=1e-2)  # log 1.02


def test_inverse_depth_keeps_its_level_and_its_spread() -> None:
    everywhere = torch.ones((2, 64, 64), dtype=torch.bool)
    started = maps(0)
    assert float(distillation_loss(started + 0.1, started, everywhere, metric=False)) > 0.1
    scaled = [distillation_loss(k * maps(1), k * started, everywhere, metric=False) for k in (1.0, 9.0)]
    torch.testing.assert_close(scaled[0], scaled[1], rtol=1e-4, atol=0)


@pytest.mark.parametrize("bf16", [False, True])
def test_the_starting_network_is_a_frozen_copy(bf16: bool) -> None:
    network = random_network(TINY)
    start = starting_network(network, bf16=bf16)
    assert not any(parameter.requires_grad for parameter in start.parameters())
    batch = torch.rand((1, 3, 28, 28), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        expected, found = network(batch), start(batch)
    assert torch.equal(found, expected), "weights in bfloat16 are those that autocast makes"
    with torch.no_grad():
        next(iter(network.parameters())).add_(1)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        assert torch.equal(start(batch), expected)
