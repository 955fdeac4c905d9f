"""The distillation loss: outside flat regions, a network keeps the answers that it began with."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....export.network.network import Network

_MARGIN = 1 / 64  # of the image's shorter side: a border around flat regions that is left free
_TINY = 1e-6


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
    inside = (parts > 0).float()[:, None]
    margin = max(1, round(min(parts.shape[1:]) * _MARGIN))
    return F.max_pool2d(inside, 2 * margin + 1, stride=1, padding=margin)[:, 0] == 0


def distillation_loss(answer: Tensor, started: Tensor, outside: Tensor, *, metric: bool) -> Tensor:
    """Return the mean difference of two answers over some pixels.

    Args:
        answer: (N, h, w), metres, or inverse depth of any sign.
        started: (N, h, w), the answer of the starting network.
        outside: (N, h, w) bool.
        metric: Metres: the difference of logarithms. Otherwise the difference over the mean deviation of each starting
            answer, so that the level and the spread of inverse depth are kept too.

    Returns:
        () float32; 0 with a gradient of 0 if there is no pixel.
    """
    if not bool(outside.any()):
        return (answer * 0).sum()
    if metric:
        difference = answer.clamp(min=_TINY).log() - started.clamp(min=_TINY).log()
    else:
        difference = (answer - started) / spread_of(started)
    return difference.abs()[outside].mean()


def spread_of(started: Tensor) -> Tensor:
    """Return the mean deviation of each answer (N, h, w) from its mean, (N, 1, 1), above 0."""
    middle = started.mean((1, 2), keepdim=True)
    return (started - middle).abs().mean((1, 2), keepdim=True).clamp(min=_TINY)
