"""What a training asks of a network: its depth, or depth read straight from the encoder's tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..engine.errors import InputError
from ..export.network import DepthAnything
from .batches import Batch
from .losses import affine_invariant_loss, log_scaled_loss, scaled_loss, silog_loss
from .options import TrainOptions

# In every published file, in no forward pass.
_UNUSED = ("pretrained.mask_token", "depth_head.scratch.refinenet4.resConfUnit1.")
_CELLS = 7  # values that a token answers with, on each side of its patch
_TAP_WEIGHTS = (0.25, 0.25, 0.5, 1.0)  # shallow to deep; the head will read all four


def make_objective(network: DepthAnything, options: TrainOptions) -> DepthObjective | TokenObjective:
    """Return what options ask of a network; what the objective does not reach is taken out of training."""
    objective = TokenObjective(network, options) if options.objective == "tokens" else DepthObjective(network, options)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(objective.unused))
    return objective


class DepthObjective(nn.Module):
    """The network's own answer, whose inverse depth is not cut at zero, so that pixels below it learn."""

    unused = _UNUSED

    def __init__(self, network: DepthAnything, options: TrainOptions) -> None:
        super().__init__()
        self.network = network
        self.readouts = nn.ModuleList()
        self._options = options

    def forward(self, batch: Tensor) -> Tensor:
        """Return (N, h, w), metres or inverse depth."""
        if self.network.max_depth_m is not None:
            metres: Tensor = self.network(batch)
            return metres
        grid = _grid(self.network, batch)
        values: Tensor = self.network.depth_head(self.network.pretrained(batch, grid), grid)
        return values.squeeze(1)  # (N, h, w)

    def terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, each with its weight."""
        options = self._options
        if self.network.max_depth_m is not None:
            known = batch.valid & torch.isfinite(batch.depth_m)
            return {"silog": silog_loss(answer, batch.depth_m, known, focus=options.silog_focus)}
        inverse, terms = batch.inverse(), {}
        if options.affine_weight:
            affine = affine_invariant_loss(
                answer, inverse, batch.valid, trim=options.trim, gradient_weight=options.gradient_weight
            )
            terms["affine"] = options.affine_weight * affine
        if options.scaled_weight:
            terms["scaled"] = options.scaled_weight * _scaled(answer, inverse, batch.valid, options)
        return terms


class TokenObjective(nn.Module):
    """Inverse depth and its logarithm, read by one matrix from the tokens of each tapped block.

    A transformer from scratch learns from it before there is a head to learn through, and a step costs two thirds.
    """

    unused = (*_UNUSED, "depth_head.")

    def __init__(self, network: DepthAnything, options: TrainOptions) -> None:
        super().__init__()
        if network.max_depth_m is not None:
            raise InputError("tokens are asked for inverse depth, and this network answers in metres; ask for depth")
        if network.architecture.patch_px % _CELLS:
            raise InputError(f"patches have {network.architecture.patch_px} px, expected a multiple of {_CELLS}")
        self.network = network
        self.readouts = nn.ModuleList(nn.Linear(network.architecture.width, 2 * _CELLS**2) for _ in _TAP_WEIGHTS)
        for readout in self.readouts:
            nn.init.zeros_(readout.get_parameter("weight"))
            nn.init.zeros_(readout.get_parameter("bias"))
        self._options = options

    def forward(self, batch: Tensor) -> Tensor:
        """Return (taps, N, 2, gh * _CELLS, gw * _CELLS): inverse depth over its mean less 1, and the logarithm."""
        rows, columns = grid = _grid(self.network, batch)
        tapped = self.network.pretrained(batch, grid)
        values = torch.stack([readout(tokens) for readout, tokens in zip(self.readouts, tapped, strict=True)])
        values = values.reshape(len(tapped), len(batch), rows, columns, 2, _CELLS, _CELLS)
        return values.permute(0, 1, 4, 2, 5, 3, 6).reshape(len(tapped), len(batch), 2, rows * _CELLS, columns * _CELLS)

    def terms(self, answer: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, each with its weight."""
        options = self._options
        step = self.network.architecture.patch_px // _CELLS
        # A cell is known where all its pixels are.
        inverse = nn.functional.avg_pool2d(batch.inverse()[:, None], step)[:, 0]
        valid = nn.functional.avg_pool2d(batch.valid[:, None].float(), step)[:, 0] == 1
        scaled, logarithm = answer.new_zeros(()), answer.new_zeros(())
        for weight, tap in zip(_TAP_WEIGHTS, answer, strict=True):
            scaled = scaled + weight * _scaled(tap[:, 0] + 1, inverse, valid, options)
            logarithm = logarithm + weight * log_scaled_loss(
                tap[:, 1], inverse, valid, gradient_weight=options.gradient_weight
            )
        return {"scaled": scaled / sum(_TAP_WEIGHTS), "log": logarithm / sum(_TAP_WEIGHTS)}


def _scaled(answer: Tensor, inverse: Tensor, valid: Tensor, options: TrainOptions) -> Tensor:
    return scaled_loss(
        answer,
        inverse,
        valid,
        gradient_weight=options.gradient_weight,
        relative_weight=options.relative_weight,
    )


def _grid(network: DepthAnything, batch: Tensor) -> tuple[int, int]:
    patch_px = network.architecture.patch_px
    return batch.shape[2] // patch_px, batch.shape[3] // patch_px
