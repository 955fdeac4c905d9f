"""Losses against values worked out by hand, their invariances and their corners."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from depthrt.finetune.training.losses import (
    LEAST_SPREAD,
    affine_invariant_loss,
    align,
    aligned_loss,
    gradient_loss,
    normalise,
    scaled_loss,
    silog_loss,
)

CLOSE = 1e-5  # float32 sums over a few hundred pixels
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
INVERSE_LOSSES: list[Loss] = [affine_invariant_loss, scaled_loss, aligned_loss]


def maps(seed: int, *, count: int = 2) -> Tensor:
    return torch.rand((count, 12, 16), generator=torch.Generator().manual_seed(seed)) + 0.5


def everywhere(like: Tensor) -> Tensor:
    return torch.ones_like(like, dtype=torch.bool)


def test_silog_is_the_formula() -> None:
    depth, predicted = torch.full((1, 4, 4), 2.0), torch.full((1, 4, 4), 2.0)
    predicted[:, :2] = 2.0 * math.e  # log differences of -1 for a half, 0 for the rest
    found = silog_loss(predicted, depth, everywhere(depth))
    assert float(found) == pytest.approx(math.sqrt(0.5 - 0.5 * 0.25), abs=CLOSE)


def test_silog_with_full_focus_forgives_a_wrong_scale() -> None:
    depth = maps(0)
    assert float(silog_loss(3 * depth, depth, everywhere(depth), focus=1.0)) < 1e-3
    assert float(silog_loss(3 * depth, depth, everywhere(depth), focus=0.0)) == pytest.approx(math.log(3), abs=CLOSE)


def test_normalised_maps_have_median_zero_and_deviation_one() -> None:
    values = maps(1)
    found = normalise(values, everywhere(values)).flatten(1)
    assert found.median(dim=1).values.tolist() == pytest.approx([0, 0], abs=CLOSE)
    assert found.abs().mean(dim=1).tolist() == pytest.approx([1, 1], abs=CLOSE)


def test_the_affine_loss_is_the_formula() -> None:
    target = torch.tensor([[[0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0, 9.0]]])  # median 4, mean deviation 2.5
    predicted = target.clone()
    predicted[0, 1, 4] = 19.0  # median 4, mean deviation 3.5
    known = everywhere(target)
    expected = float(((predicted - 4) / 3.5 - (target - 4) / 2.5).abs().mean())
    assert float(affine_invariant_loss(predicted, target, known)) == pytest.approx(expected, abs=CLOSE)


def test_trimming_leaves_the_largest_differences_out() -> None:
    target = torch.tensor([[[0.0, 1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0, 9.0]]])
    predicted = target.clone()
    predicted[0, 1, 4] = 19.0
    difference = ((predicted - 4) / 3.5 - (target - 4) / 2.5).abs().flatten().sort().values
    found = affine_invariant_loss(predicted, target, everywhere(target), trim=0.2)
    assert float(found) == pytest.approx(float(difference[:8].mean()), abs=CLOSE)


@pytest.mark.parametrize(
    ("scale", "shift", "contrast"),
    [
        (1.0, 0.0, 1.0),
        (7.0, 0.0, 1.0),
        (0.5, 3.0, 1.0),
        (0.01, 0.0, 1.0),
        (1.0, 0.0, 0.05),
        (0.01, 0.0, 0.05),
        (300.0, -40.0, 0.05),
    ],
)
def test_scale_and_shift_cost_nothing(scale: float, shift: float, contrast: float) -> None:
    target = 1 - contrast + contrast * maps(2)
    found = affine_invariant_loss(target * scale + shift, target, everywhere(target), gradient_weight=1.0)
    assert float(found) == pytest.approx(0, abs=1e-4)


def test_another_scale_and_shift_of_a_wrong_answer_costs_the_same() -> None:
    target, wrong = maps(3), maps(4)
    first = float(affine_invariant_loss(wrong, target, everywhere(target)))
    assert first > 0.1
    assert float(affine_invariant_loss(wrong * 5 - 2, target, everywhere(target))) == pytest.approx(first, abs=1e-4)


def test_the_scaled_loss_wants_inverse_depth_over_its_mean() -> None:
    target = maps(5, count=1)
    target[0, 0] = 0  # sky, which does not move the mean
    level = float(target[target > 0].mean())
    right, known = target / level, everywhere(target)
    assert float(scaled_loss(right, target, known, gradient_weight=1.0)) == pytest.approx(0, abs=CLOSE)
    assert float(scaled_loss(right + 0.25, target, known)) == pytest.approx(0.25, abs=CLOSE)
    assert float(scaled_loss(right * 2, 3 * target, known)) == pytest.approx(float(right.mean()), abs=CLOSE)


def test_the_aligned_loss_is_the_relative_error_of_depth() -> None:
    depth = torch.tensor([[[1.0, 1.0, 2.0, 2.0, 4.0], [4.0, 2.0, 2.0, 1.0, 1.0]]])
    answer = depth.clone()
    answer[0, 0, 0], answer[0, 1, 4] = 2.0, 0.8
    known, target = everywhere(depth), 1 / depth
    fitted = 1 / align(1 / answer, target, known)
    expected = float((fitted / depth - 1).abs().mean())
    assert expected > 0.05 and float((fitted / depth).max()) < math.e
    assert float(aligned_loss(1 / answer, 7 * target, known)) == pytest.approx(expected, abs=CLOSE)


def test_an_answer_below_zero_costs_more_the_lower_it_is_and_learns() -> None:
    target = maps(5, count=1)
    losses = []
    for below in (0.5, 1.0):
        predicted = target.clone()
        predicted[0, 0, 0] = -below  # one pixel of 192, which hardly moves the fit
        predicted.requires_grad_()
        loss = aligned_loss(predicted, target, everywhere(target))
        loss.backward()
        assert predicted.grad is not None and float(predicted.grad[0, 0, 0]) < 0
        losses.append(float(loss.detach()))
    assert losses[1] > 1.2 * losses[0]


def test_scale_and_shift_cost_nothing_once_aligned() -> None:
    target = maps(5, count=2)
    known = everywhere(target)
    moved = 0.2 + 3 * target
    assert float(aligned_loss(moved, target, known, gradient_weight=1.0)) == pytest.approx(0, abs=CLOSE)
    predicted = maps(6, count=2)
    loss = float(aligned_loss(predicted, target, known))
    assert loss > 0.1
    assert float(aligned_loss(0.2 + 3 * predicted, target, known)) == pytest.approx(loss, abs=CLOSE)


def test_the_sky_has_no_part_in_the_best_scale_and_shift() -> None:
    target = maps(5, count=2)
    target[:, :4] = 0  # the sky, which 3 x + 0.2 would make 0.2 and the answer makes 1
    predicted = torch.where(target > 0, 0.2 + 3 * target, 1.0).requires_grad_()
    loss = aligned_loss(predicted, target, everywhere(target))
    loss.backward()
    assert predicted.grad is not None
    assert float(predicted.grad[target == 0].abs().min()) > 0  # it counts, once the fit is made
    level = [float(image[image > 0].mean()) for image in target]
    sky = [1 - 0.1 / ((1.0 - 0.2) / 3 / mean) for mean in level]  # 0.1: as far as the loss sees
    assert float(loss.detach()) == pytest.approx(sum(sky) / len(sky) * 4 / 12, abs=CLOSE)  # and nothing off it


def test_a_nearly_flat_answer_is_not_blown_up() -> None:
    target, flat = maps(13), 1 + 1e-5 * maps(14)
    found = normalise(flat, everywhere(flat))
    assert float(found.abs().max()) < 0.02
    flat.requires_grad_()
    affine_invariant_loss(flat, target, everywhere(target)).backward()
    assert flat.grad is not None
    assert float(flat.grad.abs().max()) * flat.numel() < 2 / LEAST_SPREAD


def test_a_nearly_flat_wall_counts_for_less() -> None:
    wrong, shape = maps(19), maps(20) - 0.5
    losses = [
        float(affine_invariant_loss(wrong, 1 + contrast * shape, everywhere(shape))) for contrast in (1, 0.02, 0.01, 0)
    ]
    assert losses[0] > 3 * losses[1]
    assert losses[1] == pytest.approx(2 * losses[2], rel=0.02)
    assert losses[3] == 0


@pytest.mark.parametrize("level", [1.0, 0.7, 0.1, 0.0])
@pytest.mark.parametrize("loss", [affine_invariant_loss, aligned_loss])
def test_a_flat_answer_drowns_no_other(loss: Callable[..., Tensor], level: float) -> None:
    target = maps(21, count=2)
    answer = torch.stack([torch.full_like(target[0], level), target[1] + 0.3 * maps(22, count=1)[0]]).requires_grad_()
    loss(answer, target, everywhere(target), gradient_weight=1.0).backward()
    assert answer.grad is not None
    flat, other = (float(gradient.norm()) for gradient in answer.grad)
    assert flat < 100 * other


def test_the_roundings_of_a_flat_answer_are_not_taken_for_depth() -> None:
    flat = (1.30078 + 1e-3 * (maps(24) - 1)).bfloat16().float()
    assert len(flat.unique()) == 2
    assert float(normalise(flat, everywhere(flat)).abs().mean()) < 0.5


def test_no_single_pixel_carries_the_slope_of_the_median() -> None:
    predicted, target = maps(15).requires_grad_(), maps(16)
    affine_invariant_loss(predicted, target, everywhere(target)).backward()
    assert predicted.grad is not None
    slopes = predicted.grad.abs()
    assert float(slopes.max()) < 10 * float(slopes.mean())


def test_the_invariant_loss_does_not_push_the_level() -> None:
    predicted, target = maps(17).requires_grad_(), maps(18)
    affine_invariant_loss(predicted, target, everywhere(target)).backward()
    assert predicted.grad is not None
    pushed = predicted.grad.flatten(1).sum(1).abs() / predicted.grad.abs().flatten(1).sum(1)
    assert float(pushed.max()) < 1e-4


def test_a_far_error_weighs_more_where_that_is_asked_for() -> None:
    target = torch.linspace(0.2, 2.0, 192).reshape(1, 12, 16)
    right, known = target / target.mean(), everywhere(target)
    near, far = right.clone(), right.clone()
    near[0, -1] += 0.1
    far[0, 0] += 0.1
    assert float(scaled_loss(far, target, known)) == pytest.approx(float(scaled_loss(near, target, known)), abs=CLOSE)
    more = [float(scaled_loss(wrong, target, known, relative_weight=1.0)) for wrong in (far, near)]
    assert more[0] > 3 * more[1]


def test_gradient_matching_of_a_ramp_is_its_slope_at_every_scale() -> None:
    ramp = torch.arange(16.0).expand(1, 16, 16)
    known = everywhere(ramp)
    # Slopes across are 1, 2, 4 and 8; all of the 16, 8, 4 and 2 columns but the last have a slope.
    expected = (1 * 15 / 16 + 2 * 7 / 8 + 4 * 3 / 4 + 8 * 1 / 2) / 4
    assert float(gradient_loss(ramp, torch.zeros_like(ramp), known)) == pytest.approx(expected, abs=CLOSE)


def test_gradient_matching_stops_at_the_edge_of_what_is_known() -> None:
    target = torch.rand((1, 16, 16), generator=torch.Generator().manual_seed(1))
    known = everywhere(target)
    known[:, 5:11, 4:9] = False
    garbage = torch.where(known, target + 3, 1000.0)  # off by a shift, which has no gradient
    assert float(gradient_loss(garbage, target, known)) == pytest.approx(0, abs=CLOSE)


def test_gradient_matching_forgives_a_shift_and_sees_a_moved_edge() -> None:
    edge = torch.zeros((1, 16, 16))
    edge[:, :, 8:] = 1
    known = everywhere(edge)
    assert float(gradient_loss(edge + 3, edge, known)) == 0
    assert float(gradient_loss(torch.roll(edge, 1, 2), edge, known)) > 0.05


@pytest.mark.parametrize("loss", INVERSE_LOSSES)
def test_gradient_matching_is_added_with_its_weight_at_the_sizes_asked_for(loss: Callable[..., Tensor]) -> None:
    predicted, target = maps(3), maps(4)
    plain = loss(predicted, target, everywhere(target))
    one, three = (loss(predicted, target, everywhere(target), gradient_weight=weight) for weight in (1.0, 3.0))
    assert float(one - plain) > 0.1
    assert float(three - plain) == pytest.approx(3 * float(one - plain), rel=1e-3)
    fine = loss(predicted, target, everywhere(target), gradient_weight=1.0, gradient_scales=1)
    assert abs(float(fine - one)) > 0.01


def test_the_matched_gradients_are_those_of_the_maps_that_are_compared() -> None:
    predicted, target = maps(3), maps(4)
    known = everywhere(target)
    added = affine_invariant_loss(predicted, target, known, gradient_weight=1.0) - affine_invariant_loss(
        predicted, target, known
    )
    expected = gradient_loss(normalise(predicted, known), normalise(target, known), known)
    assert float(added) == pytest.approx(float(expected), rel=1e-3)


@pytest.mark.parametrize("loss", INVERSE_LOSSES)
def test_pixels_that_are_not_known_say_nothing(loss: Loss) -> None:
    target, predicted = maps(6), maps(7)
    known = everywhere(target)
    known[:, :5] = False
    spoilt_target, spoilt = target.clone(), predicted.clone()
    spoilt_target[:, :5], spoilt[:, :5] = torch.nan, 1e6
    assert float(loss(spoilt, spoilt_target, known)) == pytest.approx(float(loss(predicted, target, known)), abs=CLOSE)


@pytest.mark.parametrize("loss", [*INVERSE_LOSSES, silog_loss])
def test_nothing_known_costs_nothing_and_still_has_a_gradient(loss: Loss) -> None:
    predicted = maps(8).requires_grad_()
    found = loss(predicted, maps(9), torch.zeros_like(predicted, dtype=torch.bool))
    found.backward()
    assert float(found.detach()) == 0
    assert predicted.grad is not None
    assert float(predicted.grad.abs().sum()) == 0


@pytest.mark.parametrize("loss", [*INVERSE_LOSSES, silog_loss])
def test_gradients_are_finite_for_a_flat_answer_and_a_flat_wall(loss: Loss) -> None:
    predicted = torch.ones((2, 12, 16), requires_grad=True)
    target = maps(10)
    target[1] = 0.5
    loss(predicted, target, everywhere(target)).backward()
    assert predicted.grad is not None
    assert bool(torch.isfinite(predicted.grad).all())


def test_alignment_finds_scale_and_shift_of_each_image() -> None:
    target = maps(11)
    factors = torch.tensor([0.5, 20.0])[:, None, None]
    found = align((target - 0.3) / factors, target, everywhere(target))
    assert float((found - target).abs().max()) < 1e-5


def test_alignment_looks_at_known_pixels_alone() -> None:
    target = maps(12)
    predicted, known = 2 * target + 1, everywhere(target)
    known[:, 6:] = False
    predicted[:, 6:] = 100.0
    assert float((align(predicted, target, known) - target)[known].abs().max()) < 1e-5
