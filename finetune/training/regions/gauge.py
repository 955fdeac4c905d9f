"""Measures differences of answers as shares of depth, as the figures of an evaluation do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..losses import best_fit

_TINY = 1e-6
_LEAST_LEVEL = 0.25  # of an image's mean level: without it a few images with something very near rule every step


class Gauge(Protocol):
    """What a difference between depths (N, h, w) is as a share of depth."""

    @property
    def fits(self) -> Tensor:
        """Return in which images an answer can be compared with the truth, (N, 1, 1) or () bool."""

    def moved(self, answer: Tensor, other: Tensor) -> Tensor:
        """Return how far one answer is from another, (N, h, w)."""

    def off(self, answer: Tensor, truth: Tensor) -> Tensor:
        """Return how far an answer is from the truth where it fits, (N, h, w)."""


class MetricGauge:
    """The gauge of metres: the difference of their logarithms."""

    fits = torch.tensor(True)  # a scalar, which goes with tensors of any device

    def moved(self, answer: Tensor, other: Tensor) -> Tensor:
        """Return how far one answer is from another, (N, h, w)."""
        return answer.clamp(min=_TINY).log() - other.clamp(min=_TINY).log()

    off = moved


@dataclass(frozen=True, slots=True, eq=False)
class InverseGauge:
    """Scale and shift of a network's inverse depth, and the level of each pixel.

    `scale * (answer - other) / level` is a share of depth: a difference far away weighs as much as the same share of a
    near depth.

    Args:
        scale, shift: (N, 1, 1), bring an answer to 1/m; 1 over the mean deviation of the answer, and 0, where nothing
            fits.
        level: (N, h, w), inverse depth in 1/m, above 0: of the truth inside flat regions, of the answer elsewhere; 1
            where nothing fits.
        fits: (N, 1, 1) bool, whether the answer rises with the truth.
    """

    scale: Tensor
    shift: Tensor
    level: Tensor
    fits: Tensor

    def moved(self, answer: Tensor, other: Tensor) -> Tensor:
        """Return how far one answer is from another, (N, h, w)."""
        return self.scale * (answer - other) / self.level

    def off(self, answer: Tensor, truth: Tensor) -> Tensor:
        """Return how far an answer is from the truth, inverse depth in 1/m, where it fits, (N, h, w)."""
        return (self.scale * answer + self.shift - truth) / self.level


def gauge_of(answer: Tensor, truth: Tensor, known: Tensor, inside: Tensor, outside: Tensor) -> InverseGauge:
    """Return the gauge that fits answers to the truth outside flat regions.

    Args:
        answer: (N, h, w) float32, inverse depth of any sign, without a gradient.
        truth: (N, h, w) float32, inverse depth in 1/m, 0 for the sky.
        known: (N, h, w) bool, where there is a truth.
        inside, outside: (N, h, w) bool, flat regions, and what is outside them and their border.
    """
    seen = known & (truth > 0)
    scale, shift = best_fit(answer, truth, seen & outside)
    fits = (scale > 0) & (seen & outside).flatten(1).any(1)[:, None, None]
    scale, shift = torch.where(fits, scale, 1 / spread_of(answer)), torch.where(fits, shift, 0.0)
    # Past the farthest depth of an image, an answer is judged as that depth.
    farthest = torch.where(seen, truth, torch.inf).flatten(1).amin(1)[:, None, None]
    level = torch.where(inside & seen, truth, torch.maximum(scale * answer + shift, farthest))
    level = torch.maximum(level, _LEAST_LEVEL * level.mean((1, 2), keepdim=True)).clamp(min=_TINY)
    return InverseGauge(scale, shift, torch.where(fits, level, 1.0), fits)


def spread_of(answer: Tensor) -> Tensor:
    """Return the mean deviation of each answer (N, h, w) from its mean, (N, 1, 1), above 0."""
    middle = answer.mean((1, 2), keepdim=True)
    return (answer - middle).abs().mean((1, 2), keepdim=True).clamp(min=_TINY)
