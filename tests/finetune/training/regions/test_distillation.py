"""Distillation keeps the answers outside flat regions, and leaves the inside and a margin free."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_checkpoint import TINY, random_network

from depthrt.finetune.training.regions.distillation import Nudge, distillation_loss, outside_flat, starting_network
from depthrt.finetune.training.regions.gauge import Gauge, InverseGauge, MetricGauge, gauge_of

STEP = 0.01  # of a nudge, a share of depth
SCALE, SHIFT = 0.5, 0.3  # of the starting network's inverse depth
EVERYWHERE = torch.ones((2, 64, 64), dtype=torch.bool)


def maps(seed: int) -> torch.Tensor:
    return 1 + torch.rand((2, 64, 64), generator=torch.Generator().manual_seed(seed))


TRUTH = (maps(0) - SHIFT) / SCALE  # 1/m


def test_pixels_inside_and_near_a_flat_part_are_free() -> None:
    parts = torch.zeros((1, 64, 128), dtype=torch.int64)
    parts[:, 20:40, 50:80] = 1
    outside = outside_flat(parts)
    assert not outside[0, 19:41, 49:81].any()
    assert outside[0, :19].all() and outside[0, 41:].all() and outside[0, :, :49].all() and outside[0, :, 81:].all()


def gauge() -> InverseGauge:
    """Return the gauge of maps(0), which is right up to scale and shift."""
    return gauge_of(maps(0), TRUTH, EVERYWHERE, ~EVERYWHERE, EVERYWHERE)


@pytest.mark.parametrize("metric", [False, True])
def test_the_same_answer_has_no_loss_and_another_has(metric: bool) -> None:
    found = MetricGauge() if metric else gauge()
    assert float(distillation_loss(maps(0), maps(0), EVERYWHERE, found)) == 0
    assert float(distillation_loss(maps(1), maps(0), EVERYWHERE, found)) > 0.1
    assert float(distillation_loss(maps(1), maps(0), ~EVERYWHERE, found)) == 0


def test_metres_differ_by_their_ratio() -> None:
    loss = distillation_loss(1.02 * maps(0), maps(0), EVERYWHERE, MetricGauge())
    assert float(loss) == pytest.approx(0.0198, rel=1e-2)  # log 1.02


def test_inverse_depth_differs_by_a_share_of_depth_and_keeps_its_level() -> None:
    nearer = SCALE * 1.02 * TRUTH + SHIFT
    assert float(distillation_loss(nearer, maps(0), EVERYWHERE, gauge())) == pytest.approx(0.02, rel=1e-2)
    assert float(distillation_loss(maps(0) + 0.1, maps(0), EVERYWHERE, gauge())) > 0.05


@pytest.mark.parametrize("metric", [False, True])
def test_a_nudge_asks_for_a_step_towards_the_truth_of_at_most_its_share(metric: bool) -> None:
    found: Gauge = MetricGauge() if metric else gauge()
    if metric:
        started, truth = maps(0), 1.5 * maps(0)
        asked = started * np.exp(0.01)
    else:
        started, truth = maps(0), 1.5 * TRUTH
        asked = SCALE * 1.01 * TRUTH + SHIFT
    nudge = Nudge(truth, EVERYWHERE, 0.01)

    def loss(answer: torch.Tensor, nudge: Nudge) -> float:
        return float(distillation_loss(answer, started, EVERYWHERE, found, nudge=nudge))

    assert loss(asked, nudge) < STEP / 20
    assert loss(started, nudge) == pytest.approx(STEP, rel=0.05)
    assert loss(started, replace(nudge, known=~EVERYWHERE)) == 0, "without a truth the starting answer is kept"
    assert loss(started, replace(nudge, truth=started if metric else TRUTH)) < STEP / 20, "nothing is missing"


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
