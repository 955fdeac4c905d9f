"""The distillation loss: outside flat regions, a network keeps the answers that it began with."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ....export.network.network import Network
from .gauge import Gauge
from .planarity import near

_MARGIN = 1 / 64  # of the image's shorter side: a border around flat regions that is left free


@dataclass(frozen=True, slots=True, eq=False)
class Nudge:
    """True depth, and how far towards it the starting network's answers are moved before they are kept.

    What is kept becomes a little better than the starting network, which repays what a training costs elsewhere.

    Args:
        truth: (N, h, w), metres, or inverse depth in 1/m, 0 for the sky.
        known: (N, h, w) bool, where there is a truth.
        most: Largest move, a share of depth.
    """

    truth: Tensor
    known: Tensor
    most: float


def starting_network(network: Network, *, bf16: bool) -> Network:
    """Return a frozen copy of a network in eval mode.

    Args:
        network: The network before its training.
        bf16: Keep the weights that autocast turns into bfloat16 in bfloat16: half the memory, the same answers.
    """
    start = copy.deepcopy(network).eval().requires_grad_(False)
    if bf16:
        for module in start.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                module.to(torch.bfloat16)
    return start


def outside_flat(parts: Tensor) -> Tensor:
    """Return the pixels outside flat parts and a margin around them, (N, h, w) bool.

    Args:
        parts: (N, h, w) int64, as flat_parts returns them.
    """
    return ~near(parts > 0, _MARGIN)


def distillation_loss(
    answer: Tensor, started: Tensor, outside: Tensor, gauge: Gauge, *, nudge: Nudge | None = None
) -> Tensor:
    """Return the mean difference from the starting network's answer over some pixels, as a share of depth.

    Args:
        answer: (N, h, w), metres, or inverse depth of any sign.
        started: (N, h, w), the answer of the starting network.
        outside: (N, h, w) bool.
        gauge: Of metres, or of the starting network's inverse depth.
        nudge: Moves what is asked for from the starting answer towards the truth; None for not at all.

    Returns:
        () float32; 0 with a gradient of 0 if there is no pixel.
    """
    if not bool(outside.any()):
        return (answer * 0).sum()
    difference = gauge.moved(answer, started)
    if nudge is not None:
        missing = -gauge.off(started, nudge.truth).clamp(-nudge.most, nudge.most)
        difference = difference - torch.where(nudge.known & (nudge.truth > 0) & gauge.fits, missing, 0.0)
    return difference.abs()[outside].mean()
