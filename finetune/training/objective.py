"""What a training asks of a network: depth in metres, or inverse depth by losses that forgive what it cannot know."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from ...engine.errors import InputError
from ...export.network.make_network import Network
from ..data.batches import Batch
from .losses import affine_invariant_loss, aligned_loss, scaled_loss, silog_loss
from .options import TrainOptions

# In every published file, in no forward pass.
_UNUSED = ("pretrained.mask_token", "depth_head.scratch.refinenet4.resConfUnit1.")


class DepthObjective(nn.Module):
    """A network and its losses. Inverse depth is not cut at zero, so that pixels below it learn.

    Args:
        network: What it never uses is taken out of training.
        options: Weights of the losses.

    Raises:
        InputError: The network answers with inverse depth, and no loss of it has a weight.
    """

    def __init__(self, network: Network, options: TrainOptions) -> None:
        super().__init__()
        self.network = network
        self._options = options
        weights = (options.affine_weight, options.scaled_weight, options.aligned_weight)
        if network.max_depth_m is None and not any(weights):
            raise InputError(
                "affine_weight, scaled_weight and aligned_weight are 0, expected one or more above 0; correct the "
                "options"
            )
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(not name.startswith(_UNUSED))

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), metres or inverse depth."""
        answer: Tensor = self.network.values(batch) if self.network.max_depth_m is None else self.network(batch)
        return answer

    def terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, each with its weight."""
        options = self._options
        if self.network.max_depth_m is not None:
            # What the network cannot say teaches it nothing. Source: Depth Anything V2, metric_depth/train.py
            known = batch.valid & (batch.depth_m > 0) & (batch.depth_m <= self.network.max_depth_m)
            return {"silog": silog_loss(answer, batch.depth_m, known, focus=options.silog_focus)}
        losses: dict[str, tuple[float, Callable[..., Tensor]]] = {
            "affine": (options.affine_weight, partial(affine_invariant_loss, trim=options.trim)),
            "scaled": (options.scaled_weight, partial(scaled_loss, relative_weight=options.relative_weight)),
            "aligned": (options.aligned_weight, aligned_loss),
        }
        slopes = {"gradient_weight": options.gradient_weight, "gradient_scales": options.gradient_scales}
        inverse = batch.inverse()
        return {
            name: weight * loss(answer, inverse, batch.valid, **slopes)
            for name, (weight, loss) in losses.items()
            if weight
        }
