"""The objective: what it trains of a network, and which depth has a loss."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import QUICK, Planes, run

from depthrt.engine.errors import InputError
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.training.losses import affine_invariant_loss, aligned_loss
from depthrt.finetune.training.objective import DepthObjective
from depthrt.finetune.training.train import train


def test_depth_outside_a_metric_network_s_range_has_no_loss() -> None:
    network = random_network(TINY, max_depth_m=10.0)
    objective = DepthObjective(network, QUICK)
    generator = torch.Generator().manual_seed(0)
    depth_m, answer = (9 * torch.rand((2, 28, 28), generator=generator) + 0.5 for _ in range(2))
    images, known = torch.zeros((2, 3, 28, 28)), torch.ones_like(depth_m, dtype=torch.bool)
    known[:, :8] = False
    expected = objective.terms(answer, Batch(images, depth_m, known))["silog"]
    depth_m[:, :2], depth_m[:, 2:4], depth_m[:, 4:6], depth_m[:, 6:8] = 40.0, 0.0, torch.inf, torch.nan
    assert torch.equal(objective.terms(answer, Batch(images, depth_m, torch.ones_like(known)))["silog"], expected)


def test_a_training_without_any_loss_is_refused(tmp_path: Path) -> None:
    none = replace(QUICK, affine_weight=0.0, scaled_weight=0.0)
    with pytest.raises(InputError, match="aligned_weight are 0, expected at least one above 0; correct the options"):
        run(tmp_path, none)
    DepthObjective(random_network(TINY, max_depth_m=10.0), none)  # metres have another loss


def test_a_network_whose_answer_has_no_loss_is_refused_in_one_line(tmp_path: Path) -> None:
    class Unbounded(DepthAnything):
        trainable = False

    network = Unbounded(TINY, family="depth-anything-v2", max_depth_m=10.0)
    network.family = "zoedepth"
    with pytest.raises(InputError, match=r"family zoedepth was given to train; .*; give a network of Depth") as caught:
        train(network, Planes(), None, QUICK, tmp_path)
    assert "\n" not in str(caught.value)


def test_terms_are_losses_times_their_weights_and_none_of_weight_zero() -> None:
    network = random_network(TINY)
    options = replace(QUICK, affine_weight=0.5, scaled_weight=0.0, aligned_weight=2.0, gradient_weight=0.0, trim=0.2)
    answer, batch = torch.rand((2, 28, 28), generator=torch.Generator().manual_seed(0)), Planes().batch(0)
    found = DepthObjective(network, options).terms(answer, batch)
    assert list(found) == ["affine", "aligned"]
    inverse = batch.inverse()
    assert torch.equal(found["affine"], 0.5 * affine_invariant_loss(answer, inverse, batch.valid, trim=0.2))
    assert torch.equal(found["aligned"], 2.0 * aligned_loss(answer, inverse, batch.valid))


def test_inverse_depth_below_zero_reaches_the_losses() -> None:
    network = random_network(TINY)
    bias = network.depth_head.scratch.output_conv2[2].get_parameter("bias")
    torch.nn.init.constant_(bias, -1.0)
    images = Planes().batch(0).normalised()
    with torch.inference_mode():
        assert float(DepthObjective(network, QUICK)(images).min()) < 0
        assert float(network(images).min()) == 0


def test_parameters_that_no_forward_pass_reads_are_frozen() -> None:
    network = random_network(TINY)
    objective, batch = DepthObjective(network, QUICK), Planes().batch(0)
    terms = objective.terms(objective(batch.normalised()), batch)
    torch.stack(list(terms.values())).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None), name
