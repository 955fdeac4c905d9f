"""Inside flat regions true depth counts, at the scale and shift of the starting network's answer."""

from __future__ import annotations

import pytest
import torch

from depthrt.finetune.training.regions.gauge import MetricGauge, gauge_of
from depthrt.finetune.training.regions.inside import inside_loss

NONE = 1e-4  # float32 after a fit
WRONG = 0.05  # of depth; half of the truth inside is more
PARTS = torch.zeros((1, 32, 32), dtype=torch.bool)
PARTS[:, 8:20, 8:20] = True
EVERYWHERE = torch.ones_like(PARTS)


def truth() -> torch.Tensor:
    """Return inverse depth of a slanted wall with a plane before it, (1, 32, 32)."""
    rows = torch.linspace(0.1, 1, 32)[:, None].expand(32, 32)
    return torch.where(PARTS, rows + 0.5, rows)


def loss(answer: torch.Tensor, started: torch.Tensor, *, known: torch.Tensor = EVERYWHERE) -> float:
    gauge = gauge_of(started, truth(), EVERYWHERE, PARTS, ~PARTS)
    return float(inside_loss(answer, truth(), known & PARTS, gauge))


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (3.0, -1.0), (0.2, 5.0)])
def test_the_truth_at_the_scale_of_the_starting_answer_has_no_loss(scale: float, shift: float) -> None:
    started = torch.where(PARTS, torch.zeros(()), scale * truth() + shift)  # wrong inside, where it does not count
    assert loss(scale * truth() + shift, started) < NONE
    assert loss(truth() * scale * 1.5 + shift, started) > WRONG
    assert loss(started, started) > WRONG


def test_the_loss_is_a_share_of_depth() -> None:
    started = 2 * truth() + 1
    assert loss(2 * 1.02 * truth() + 1, started) == pytest.approx(0.02, rel=1e-2)


def test_only_known_pixels_inside_count() -> None:
    started = truth()
    wrong = torch.where(PARTS, started, started + 3)
    assert loss(wrong, started) < NONE
    assert loss(started + 3, started, known=~PARTS) == 0
    answer = started.clone().requires_grad_()
    inside_loss(answer, truth(), ~EVERYWHERE, MetricGauge()).backward()
    assert answer.grad is not None and not answer.grad.any()


def test_a_starting_answer_that_is_far_where_the_truth_is_near_teaches_nothing() -> None:
    assert loss(truth() + 1, -truth()) == 0


def test_metres_are_compared_as_they_are() -> None:
    found = inside_loss(1.02 * truth(), truth(), PARTS, MetricGauge())
    assert float(found) == pytest.approx(0.0198, rel=1e-2)  # log 1.02, whatever the starting answer
