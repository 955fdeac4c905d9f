"""The objective of a training: a network with its losses, for metres or for inverse depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ...engine.errors import InputError
from ...export.network.network import Network
from ..adapt.freeze import freeze, hold_norms
from ..data.batches import Batch
from .losses import affine_invariant_loss, aligned_loss, scaled_loss, silog_loss
from .options import TrainOptions
from .regions.distillation import Nudge, distillation_loss, outside_flat
from .regions.gauge import InverseGauge, MetricGauge, gauge_of
from .regions.inside import inside_loss
from .regions.planarity import flat_parts, part_means, planarity_loss, true_planes, without_borders

_NEAREST = 1e-3  # of the maximum depth: the planarity loss takes nearer depth as this


class DepthObjective(nn.Module):
    """A network and its losses. Inverse depth is not clamped at zero, so that pixels below zero get a gradient.

    Args:
        network: The network; parameters that its forward pass does not read are frozen, as are those that the options
            name.
        options: Weights of the losses, and what is frozen.
        start: The network that distillation keeps to, on the same device; needed if the weight of that loss is not 0.

    Raises:
        InputError: The network answers what no loss is for, or it predicts inverse depth, and every loss of inverse
            depth has weight 0.
    """

    def __init__(self, network: Network, options: TrainOptions, start: Network | None = None) -> None:
        super().__init__()
        check_trainable(network)
        self.network = network
        self._options = options
        self._start = (start,)  # in a tuple, because its weights are none of this module's
        if options.distillation_weight and start is None:
            raise InputError("distillation_weight is not 0 and no starting network was given; give both or none")
        weights = (options.affine_weight, options.scaled_weight, options.aligned_weight)
        if network.max_depth_m is None and not any(weights):
            raise InputError(
                "affine_weight, scaled_weight and aligned_weight are 0, expected at least one above 0; correct the "
                "options"
            )
        freeze(network, options)

    def train(self, mode: bool = True) -> DepthObjective:
        """Set the mode of the network; batch norms with frozen weights stay in eval mode."""
        super().train(mode)
        hold_norms(self.network)
        return self

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), metres or inverse depth."""
        return _answer(self.network, batch)

    def terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss by name, each times its weight.

        With a starting network, true depth counts inside flat regions alone: elsewhere the starting network is the
        teacher, and a second teacher beside it would move what should stay.
        """
        truth = {} if self._options.distillation_weight else self._truth_terms(answer, batch)
        return {**truth, **self._region_terms(answer, batch)}

    def _truth_terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms that compare the answer with true depth."""
        options = self._options
        if self.network.max_depth_m is not None:
            return {"silog": silog_loss(answer, batch.depth_m, self._known(batch), focus=options.silog_focus)}
        losses: dict[str, tuple[float, Callable[..., Tensor]]] = {
            "affine": (options.affine_weight, partial(affine_invariant_loss, trim=options.trim)),
            "scaled": (options.scaled_weight, partial(scaled_loss, relative_weight=options.relative_weight)),
            "aligned": (options.aligned_weight, aligned_loss),
        }
        gradient = {"gradient_weight": options.gradient_weight, "gradient_scales": options.gradient_scales}
        inverse = batch.inverse()
        return {
            name: weight * loss(answer, inverse, batch.valid, **gradient)
            for name, (weight, loss) in losses.items()
            if weight
        }

    def _region_terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of flat regions and of what is outside them."""
        options, bound_m = self._options, self.network.max_depth_m
        if not (options.planarity_weight or options.distillation_weight):
            return {}
        regions = torch.zeros_like(batch.valid, dtype=torch.uint8) if batch.regions is None else batch.regions
        parts = flat_parts(regions)
        outside = outside_flat(parts)
        started = self._started(batch) if options.distillation_weight else None
        gauge: MetricGauge | InverseGauge = MetricGauge()
        if bound_m is None:
            of = answer.detach() if started is None else started
            gauge = gauge_of(of, batch.inverse(), batch.valid, parts > 0, outside)
        terms = {}
        if options.planarity_weight:
            planes = without_borders(true_planes(parts, batch.inverse(), batch.valid))
            terms["planarity"] = options.planarity_weight * self._planarity(answer, planes, gauge)
        if started is not None:
            truth, known = (batch.inverse(), batch.valid) if bound_m is None else (batch.depth_m, self._known(batch))
            nudge = Nudge(truth, known, options.nudge) if options.nudge else None
            loss = distillation_loss(answer, started, outside, gauge, nudge=nudge)
            terms["distillation"] = options.distillation_weight * loss
            terms["inside"] = inside_loss(answer, truth, known & (parts > 0), gauge)
        return terms

    def _planarity(self, answer: Tensor, planes: Tensor, gauge: MetricGauge | InverseGauge) -> Tensor:
        if isinstance(gauge, InverseGauge):
            return planarity_loss(answer, planes, gauge.level / gauge.scale)
        assert self.network.max_depth_m is not None
        inverse = 1 / answer.clamp(min=_NEAREST * self.network.max_depth_m)
        return planarity_loss(inverse, planes, part_means(inverse.detach(), planes))

    def _known(self, batch: Batch) -> Tensor:
        """Return where a metric network has a loss, (N, h, w) bool: not beyond its range.

        Source: Depth Anything V2, metric_depth/train.py
        """
        assert self.network.max_depth_m is not None
        return batch.valid & (batch.depth_m > 0) & (batch.depth_m <= self.network.max_depth_m)

    def _started(self, batch: Batch) -> Tensor:
        """Return the starting network's answer (N, h, w) float32."""
        (start,) = self._start
        assert start is not None  # checked when this was made
        device = batch.images.device.type
        with torch.no_grad(), torch.autocast(device, torch.bfloat16, enabled=self._options.bf16):
            return _answer(start, batch.normalised()).float()


def check_trainable(network: Network) -> None:
    """Raise InputError if no loss is for what a network answers."""
    if not network.trainable:
        raise InputError(
            f"a network of the family {network.family} was given to train; the losses are for inverse depth and "
            "for metres up to a bound, not for affine-invariant or scale-invariant depth; give a network of Depth "
            "Anything or MiDaS (Swin aside)"
        )


def _answer(network: Network, batch: Tensor) -> Tensor:
    """Return (N, h, w), metres; or inverse depth that is not clamped at zero."""
    answer: Tensor = network.values(batch) if network.max_depth_m is None else network(batch)
    return answer
