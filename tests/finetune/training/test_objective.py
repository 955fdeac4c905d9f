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


def marked_batch() -> Batch:
    """Return tilted planes, half of each image a mirror."""
    batch = Planes().batch(0)
    regions = torch.zeros_like(batch.valid, dtype=torch.uint8)
    regions[:, :, :14] = 1
    return Batch(batch.images, batch.depth_m, batch.valid, regions=regions)


@pytest.mark.parametrize("max_depth_m", [None, 10.0])
def test_regions_have_terms_only_if_they_have_a_weight(max_depth_m: float | None) -> None:
    network, start = random_network(TINY, max_depth_m=max_depth_m), random_network(TINY, max_depth_m=max_depth_m)
    options = replace(QUICK, planarity_weight=0.5, distillation_weight=2.0)
    objective, batch = DepthObjective(network, options, start), marked_batch()
    found = objective.terms(objective(batch.normalised()).detach(), batch)
    assert found.keys() == {"planarity", "distillation", "inside"}, "outside, the starting network alone is the teacher"
    assert float(found["planarity"]) > 0 and float(found["inside"]) > 0
    assert float(found["distillation"]) == 0, "the network is still the one that it began as"
    moved = objective.terms(1.5 * objective(batch.normalised()).detach(), batch)
    assert float(moved["distillation"]) > 0
    plain = DepthObjective(network, QUICK).terms(objective(batch.normalised()).detach(), batch)
    assert plain and not {"planarity", "distillation", "inside"} & plain.keys()


def test_a_batch_without_regions_is_distilled_everywhere_and_has_no_planes() -> None:
    options = replace(QUICK, planarity_weight=0.5, distillation_weight=1.0)
    objective, batch = DepthObjective(random_network(TINY), options, random_network(TINY, seed=1)), Planes().batch(0)
    found = objective.terms(objective(batch.normalised()).detach(), batch)
    assert float(found["planarity"]) == float(found["inside"]) == 0 and float(found["distillation"]) > 0


def test_distillation_without_a_starting_network_is_refused() -> None:
    with pytest.raises(InputError, match="distillation_weight is not 0 and no starting network was given"):
        DepthObjective(random_network(TINY), replace(QUICK, distillation_weight=1.0))


def test_the_starting_network_is_no_part_of_the_objective() -> None:
    objective = DepthObjective(random_network(TINY), replace(QUICK, distillation_weight=1.0), random_network(TINY))
    assert len(list(objective.parameters())) == len(list(random_network(TINY).parameters()))
