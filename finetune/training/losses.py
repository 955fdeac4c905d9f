"""Losses: SiLog for metres; for inverse depth, losses that ignore scale and shift, with gradient matching.

All take float32 maps (N, h, w) and a bool mask, and return a mean over the images that have enough valid pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

SILOG_FOCUS = 0.5  # weight of the squared mean. Source: Eigen et al. 2014, eq. 4; Depth Anything V2 metric
GRADIENT_SCALES = 4  # Source: MiDaS (Ranftl et al. 2020), eq. 11
LEAST_PIXELS = 10  # an image with fewer valid pixels is left out. Source: Depth Anything V2, metric_depth/train.py
# Predictions come in bfloat16, in steps of up to 0.8 % of their level; less than that is rounding.
LEAST_SPREAD = 1e-2  # mean deviation over the level, the smallest that normalising divides by
_LEAST_CONTRAST = 0.1  # mean deviation of a target over its median; flatter targets weigh less, in proportion
_FLAT = 2**-8  # standard deviation over the level; below it, a fitted scale would follow rounding errors
_FAR_SHARE = 0.2  # of the mean inverse depth: relative errors are not divided by less
_FARTHEST = 0.1  # of the mean inverse depth: logarithms stop here, so that everything farther and the sky are equal
_TINY = 1e-6


def silog_loss(predicted_m: Tensor, depth_m: Tensor, valid: Tensor, *, focus: float = SILOG_FOCUS) -> Tensor:
    """Return the scale-invariant error sqrt(mean(d^2) - focus * mean(d)^2) with d = log target - log prediction.

    Args:
        predicted_m: (N, h, w), metres, positive.
        depth_m: (N, h, w), metres, positive where valid.
        valid: (N, h, w) bool; means run over the whole batch, as upstream.
        focus: 1 ignores a wrong scale, 0 counts it in full.

    Returns:
        () float32; if fewer than LEAST_PIXELS pixels are valid, 0 with a gradient of 0.
    """
    if int(valid.sum()) < LEAST_PIXELS:
        return (predicted_m * 0).sum()
    difference = depth_m[valid].log() - predicted_m[valid].clamp(min=_TINY).log()
    square = difference.square().mean() - focus * difference.mean().square()
    return square.clamp(min=_TINY**2).sqrt()  # the root has no finite slope at zero


def affine_invariant_loss(
    predicted: Tensor,
    target: Tensor,
    valid: Tensor,
    *,
    trim: float = 0.0,
    gradient_weight: float = 0.0,
    gradient_scales: int = GRADIENT_SCALES,
) -> Tensor:
    """Return the mean absolute difference of two maps, each minus its median and divided by its mean deviation.

    A nearly flat target weighs less. A prediction that varies by less than 1 % of its level is not amplified.

    Args:
        predicted: (N, h, w), inverse depth of any scale and shift.
        target: (N, h, w), inverse depth of any scale and shift.
        valid: (N, h, w) bool.
        trim: Share of each image's pixels, those with the largest difference, left out; for noisy targets.
        gradient_weight: Weight of the gradient matching that is added.
        gradient_scales: Number of sizes at which gradients are matched.

    Source: MiDaS (Ranftl et al. 2020), eq. 5-7 and 11.
    """
    enough = valid.flatten(1).sum(1) >= LEAST_PIXELS
    if not bool(enough.any()):
        return (predicted * 0).sum()
    predicted, target, valid = predicted[enough], _known(target, valid)[enough], valid[enough]
    contrast = _centred(target, valid)[1] / _masked_median(target, valid).abs().clamp(min=_TINY)
    counts = (contrast / _LEAST_CONTRAST).clamp(max=1)[:, None, None]
    ours, theirs = counts * normalise(predicted, valid), counts * normalise(target, valid, least_spread=0.0)
    loss = _trimmed_mean((ours - theirs).abs(), valid, trim)
    if gradient_weight:
        loss = loss + gradient_weight * gradient_loss(ours, theirs, valid, scales=gradient_scales)
    return loss


def scaled_loss(
    predicted: Tensor,
    target: Tensor,
    valid: Tensor,
    *,
    gradient_weight: float = 0.0,
    gradient_scales: int = GRADIENT_SCALES,
    relative_weight: float = 0.0,
) -> Tensor:
    """Return the mean absolute difference to the target divided by its mean: it fixes scale and shift; 0 is infinity.

    A network with random weights can predict the average target; a loss that normalises the prediction prevents that.

    Args:
        predicted: (N, h, w), inverse depth, about 1 on average.
        target: (N, h, w), inverse depth, 0 for the sky.
        valid: (N, h, w) bool.
        gradient_weight: Weight of the gradient matching that is added.
        gradient_scales: Number of sizes at which gradients are matched.
        relative_weight: Weight of the relative difference that is added, so that distant surfaces count.
    """
    enough = _enough_seen(target, valid)
    if not bool(enough.any()):
        return (predicted * 0).sum()
    predicted, scaled, valid = predicted[enough], _over_mean(target[enough], valid[enough]), valid[enough]
    difference = (predicted - scaled).abs()
    loss = _trimmed_mean(difference, valid, 0.0)
    if relative_weight:
        loss = loss + relative_weight * _trimmed_mean(difference / scaled.clamp(min=_FAR_SHARE), valid, 0.0)
    if gradient_weight:
        loss = loss + gradient_weight * gradient_loss(predicted, scaled, valid, scales=gradient_scales)
    return loss


def aligned_loss(
    predicted: Tensor,
    target: Tensor,
    valid: Tensor,
    *,
    gradient_weight: float = 0.0,
    gradient_scales: int = GRADIENT_SCALES,
) -> Tensor:
    """Return the mean relative error of depth after the best scale and shift of each prediction, like abs_rel.

    Beyond a depth e times too large the error grows with the logarithm, so that no pixel has an unbounded gradient.

    Args:
        predicted: (N, h, w), inverse depth of any scale and shift.
        target: (N, h, w), inverse depth, 0 for the sky, which is left out of the fit.
        valid: (N, h, w) bool.
        gradient_weight: Weight of the gradient matching of the logarithms that is added.
        gradient_scales: Number of sizes at which gradients are matched.
    """
    enough = _enough_seen(target, valid)
    if not bool(enough.any()):
        return (predicted * 0).sum()
    predicted, valid = predicted[enough], valid[enough]
    scaled = _over_mean(target[enough], valid)
    predicted, scaled = _far_logarithms(align(predicted, scaled, scaled > 0), scaled)
    loss = _trimmed_mean(_relative_error(scaled - predicted), valid, 0.0)
    if gradient_weight:
        loss = loss + gradient_weight * gradient_loss(predicted, scaled, valid, scales=gradient_scales)
    return loss


def gradient_loss(predicted: Tensor, target: Tensor, valid: Tensor, *, scales: int = GRADIENT_SCALES) -> Tensor:
    """Return the mean absolute difference of the maps' gradients at several sizes, each half of the previous size.

    Args:
        predicted: (N, h, w).
        target: (N, h, w), of the same scale.
        valid: (N, h, w) bool; a gradient counts between two valid pixels.
        scales: Number of sizes, the first of which is the full size.
    """
    difference = torch.where(valid, predicted - target, 0.0)
    total = difference.new_zeros(len(difference))
    for scale in range(scales):
        step = 2**scale
        level, known = difference[:, ::step, ::step], valid[:, ::step, ::step]
        across = (level[:, :, 1:] - level[:, :, :-1]).abs() * (known[:, :, 1:] & known[:, :, :-1])
        down = (level[:, 1:] - level[:, :-1]).abs() * (known[:, 1:] & known[:, :-1])
        total = total + (across.flatten(1).sum(1) + down.flatten(1).sum(1)) / known.flatten(1).sum(1).clamp(min=1)
    return total.mean() / scales


def align(predicted: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return the predictions after the scale and shift that fit each best to its target; see best_fit."""
    scale, shift = best_fit(predicted, target, valid)
    return predicted * scale + shift


def best_fit(predicted: Tensor, target: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scale and the shift, each (N, 1, 1), that fit each prediction best to its target, in least squares.

    A prediction that varies by less than 0.4 % of the batch's level gets a smaller scale.

    Args:
        predicted: (N, h, w) float32, inverse depth of any scale and shift.
        target: (N, h, w) float32, inverse depth.
        valid: (N, h, w) bool.

    Source: MiDaS (Ranftl et al. 2020), eq. 4.
    """
    flat = valid.flatten(1).double()
    count = flat.sum(1).clamp(min=1)
    x, y = (_known(maps, valid).flatten(1).double() for maps in (predicted, target))
    mean_x, mean_y = x.sum(1) / count, y.sum(1) / count
    off_x, off_y = (x - mean_x[:, None]) * flat, (y - mean_y[:, None]) * flat
    least = count * (_FLAT * _level(predicted, valid)).square()
    scale = (off_x * off_y).sum(1) / torch.maximum(off_x.square().sum(1), least.clamp(min=_TINY**2))
    shift = mean_y - scale * mean_x
    return scale.float()[:, None, None], shift.float()[:, None, None]


def normalise(maps: Tensor, valid: Tensor, *, least_spread: float = LEAST_SPREAD) -> Tensor:
    """Return maps minus their median, divided by their mean absolute deviation from it.

    Args:
        maps: (N, h, w), each with at least one valid pixel.
        valid: (N, h, w) bool.
        least_spread: Smallest deviation to divide by, as a share of the batch's level.

    Returns:
        (N, h, w), 0 for pixels that are not valid.
    """
    centred, spread = _centred(maps, valid)
    spread = torch.maximum(spread, (least_spread * _level(maps, valid)).clamp(min=_TINY))
    return centred / spread[:, None, None]


def _level(maps: Tensor, valid: Tensor) -> Tensor:
    """Return the mean magnitude () of all maps of a batch, because a single map may be zero everywhere."""
    return _known(maps, valid).detach().abs().sum() / valid.sum().clamp(min=1)


def _centred(maps: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps minus their median, and the mean absolute deviation from it, (N,)."""
    counted = valid.flatten(1).sum(1)
    mean = _known(maps, valid).flatten(1).sum(1) / counted
    # The median's gradient goes to a single pixel, a hundred times that of the others: use the mean's gradient instead.
    middle = _masked_median(maps, valid).detach() + mean - mean.detach()
    centred = _known(maps - middle[:, None, None], valid)
    return centred, centred.abs().flatten(1).sum(1) / counted


def _far_logarithms(predicted: Tensor, scaled: Tensor) -> tuple[Tensor, Tensor]:
    """Return logarithms of inverse depth over its mean, clamped at _FARTHEST.

    A prediction beyond _FARTHEST whose target is nearer gets the logarithm's tangent, so that it learns below zero too.
    """
    beyond = torch.where(scaled > _FARTHEST, (_FARTHEST - predicted).clamp(min=0) / _FARTHEST, 0.0)
    return predicted.clamp(min=_FARTHEST).log() - beyond, scaled.clamp(min=_FARTHEST).log()


def _relative_error(too_far: Tensor) -> Tensor:
    """Return |depth / truth - 1| from the logarithm of depth / truth; beyond a ratio of e, the tangent there."""
    within = too_far.clamp(max=1.0)
    return torch.expm1(within).abs() + math.e * (too_far - within)


def _enough_seen(target: Tensor, valid: Tensor) -> Tensor:
    """Return which images have LEAST_PIXELS valid pixels that are not sky, (N,) bool."""
    return (valid & (target > 0)).flatten(1).sum(1) >= LEAST_PIXELS


def _over_mean(target: Tensor, valid: Tensor) -> Tensor:
    """Return inverse depth divided by the mean of its nonzero values; 0 for pixels that are not valid."""
    target = _known(target, valid)
    level = target.flatten(1).sum(1) / (target > 0).flatten(1).sum(1)
    return target / level[:, None, None]


def _known(maps: Tensor, valid: Tensor) -> Tensor:
    """Return maps with 0 for pixels that are not valid, because NaN there would spoil the gradient."""
    return torch.where(valid, maps, 0.0)


def _masked_median(maps: Tensor, valid: Tensor) -> Tensor:
    return torch.where(valid, maps, torch.nan).flatten(1).nanmedian(dim=1).values


def _trimmed_mean(values: Tensor, valid: Tensor, trim: float) -> Tensor:
    """Return the mean over images of the mean over their valid pixels, without the share `trim` of largest values."""
    counted = valid.flatten(1).sum(1)
    if trim == 0:
        return ((values * valid).flatten(1).sum(1) / counted).mean()
    kept = (counted * (1 - trim)).ceil().clamp(min=1)
    ordered = torch.where(valid, values, torch.inf).flatten(1).sort(dim=1).values
    inside = torch.arange(ordered.shape[1], device=values.device) < kept[:, None]
    return (torch.where(inside, ordered, 0.0).sum(1) / kept).mean()
