"""Muon: steps of matrices made orthogonal, so that every direction of a weight learns at one rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # Source: Jordan et al. 2024, Muon, the quintic iteration
_TINY = 1e-7


class Muon(torch.optim.Optimizer):
    """Momentum whose steps are brought near the closest orthogonal matrix; the arithmetic stays float32.

    torch.optim.Muon computes in bfloat16, which a CPU without it does a hundred times slower, and one matrix after
    the other; here all matrices of a shape go together.

    Args:
        groups: Parameter groups of matrices, with "lr" and "weight_decay".
        momentum: Nesterov's.
        iterations: Newton-Schulz steps.

    Source: Jordan et al. 2024; the size of a step as AdamW's, from Liu et al. 2025, Muon is Scalable, section 2.2.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], *, momentum: float = 0.95, iterations: int = 4) -> None:
        super().__init__(groups, {"lr": 0.0, "weight_decay": 0.0})
        self._momentum, self._iterations = momentum, iterations

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in by_shape.items():
                moves = orthogonal(
                    torch.stack([self._momentous(parameter) for parameter in parameters]), self._iterations
                )
                length = group["lr"] * 0.2 * max(shape) ** 0.5
                for parameter, move in zip(parameters, moves, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(move, alpha=length)

    def _momentous(self, parameter: nn.Parameter) -> Tensor:
        """Return the gradient led by its running mean, which is brought up to date."""
        gradient = parameter.grad
        assert gradient is not None
        running: Tensor = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
        running.lerp_(gradient, 1 - self._momentum)
        return gradient.lerp(running, self._momentum)


def orthogonal(matrices: Tensor, iterations: int) -> Tensor:
    """Return (N, r, c) with the singular vectors of the given matrices and singular values about 1."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + _TINY)
    a, b, c = _COEFFICIENTS
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    found: Tensor = x.mT if tall else x
    return found
