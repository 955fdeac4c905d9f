"""The objective of a training: a network with its losses, for metres or for inverse depth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from ...engine.errors import InputError
from ...export.network.network import Network
from ..data.batches import Batch
from .losses import affine_invariant_loss, aligned_loss, scaled_loss, silog_loss
from .options import TrainOptions

_UNUSED = (  # parameters of every published file that no forward pass reads
    "pretrained.mask_token",
    "depth_head.scratch.refinenet4.resConfUnit1.",
)


class DepthObjective(nn.Module):
    """A network and its losses. Inverse depth is not clamped at zero, so that pixels below zero get a gradient.

    Args:
        network: The network; parameters that its forward pass does not read are frozen.
        options: Weights of the losses.

    Raises:
        InputError: The network answers what no loss is for, or it predicts inverse depth, and every loss of inverse
            depth has weight 0.
    """

    def __init__(self, network: Network, options: TrainOptions) -> None:
        super().__init__()
        if not network.trainable:
            raise InputError(
                f"a network of the family {network.family} was given to train; the losses are for inverse depth and "
                "for metres up to a bound, not for affine-invariant or scale-invariant depth; give a network of Depth "
                "Anything"
            )
        self.network = network
        self._options = options
        weights = (options.affine_weight, options.scaled_weight, options.aligned_weight)
        if network.max_depth_m is None and not any(weights):
            raise InputError(
                "affine_weight, scaled_weight and aligned_weight are 0, expected at least one above 0; correct the "
                "options"
            )
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(_UNUSED))

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), metres or inverse depth."""
        answer: Tensor = self.network.values(batch) if self.network.max_depth_m is None else self.network(batch)
        return answer

    def terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss by name, each times its weight."""
        options = self._options
        if self.network.max_depth_m is not None:
            # Depth beyond the network's range has no loss. Source: Depth Anything V2, metric_depth/train.py
            known = batch.valid & (batch.depth_m > 0) & (batch.depth_m <= self.network.max_depth_m)
            return {"silog": silog_loss(answer, batch.depth_m, known, focus=options.silog_focus)}
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
