"""Turns options into learning rates, the optimisers AdamW and Muon, and the moving average of weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from .options import TrainOptions

ENCODER_PREFIX = "pretrained."  # of the encoder's parameters, by the published names
_NETWORK = "network."  # prefix of the network's parameters in an objective
_MUON_LEAST = 32  # rows or columns of the smallest matrix that Muon moves
_MUON_STEPS = 4  # of Newton-Schulz; each costs a fifth of torch's default, 5
_AVERAGE_START = 10.0  # the decay of the average is at most (1 + step) / (10 + step), so that it follows fast at first

Tensors = tuple[Tensor, ...] | list[Tensor]


def rate_factor(step: int, options: TrainOptions) -> float:
    """Return the learning rate over its peak: linear warm-up, constant, then a power of the remaining share.

    Args:
        step: Steps done, from 0.
        options: Warm-up, hold, number of steps and power.
    """
    rising = min(1.0, (step + 1) / options.warmup_steps) if options.warmup_steps else 1.0
    falling = max(0, step - options.hold_steps) / (options.steps - options.hold_steps)
    return rising * math.pow(max(0.0, 1 - falling), options.decay_power)


class Optimiser:
    """AdamW, with a separate learning rate for the encoder, and Muon for matrices and kernels if muon_factor is not 0.

    Vectors (norms, biases, gains) and tables have no weight decay.

    Args:
        objective: Its trainable parameters are moved.
        options: Rates and decay.
    """

    def __init__(self, objective: nn.Module, options: TrainOptions) -> None:
        named = ((name.removeprefix(_NETWORK), parameter) for name, parameter in objective.named_parameters())
        trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
        for_muon = [entry for entry in trained if options.muon_factor and _is_wide(*entry)]
        rest = [entry for entry in trained if not (options.muon_factor and _is_wide(*entry))]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(_groups(rest, options), betas=options.betas, fused=True)
        ]
        # Muon takes matrices only: each kernel becomes one, a row per output channel, which shares the kernel's memory.
        self._kernels = [
            (kernel, nn.Parameter(_ordered(kernel.detach(), like=kernel).view(len(kernel), -1)))
            for _, kernel in for_muon
        ]
        if for_muon:
            matrices = [(name, matrix) for (name, _), (_, matrix) in zip(for_muon, self._kernels, strict=True)]
            self._parts.append(
                torch.optim.Muon(
                    _groups(matrices, options, factor=options.muon_factor),
                    ns_steps=_MUON_STEPS,
                    adjust_lr_fn="match_rms_adamw",
                )
            )

    @property
    def groups(self) -> list[dict[str, Any]]:
        """All parameter groups, those of AdamW first."""
        return [group for part in self._parts for group in part.param_groups]

    def set_rate(self, factor: float) -> None:
        """Set the learning rate of every group to its peak times a factor."""
        for group in self.groups:
            group["lr"] = group["peak"] * factor

    def step(self) -> None:
        """Move the parameters and clear the gradients."""
        for kernel, matrix in self._kernels:
            if kernel.grad is not None:
                matrix.grad, kernel.grad = _ordered(kernel.grad, like=kernel).flatten(1), None
        for part in self._parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """Return the state for load_state_dict."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Restore a state of the same parameters and options."""
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)


def make_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of a network that becomes the exponential moving average of its weights and buffers.

    Args:
        network: The average starts at its weights; call `update_parameters(network)` after each step.
        decay: Largest decay; the first steps have a smaller one.
    """

    def follow(averages: Tensors, current: Tensors, _: Tensor | int) -> None:
        if averages[0].is_floating_point():
            step = int(average.n_averaged)  # on the CPU; the third argument is a copy on the device, slow to read
            torch._foreach_lerp_(averages, current, 1 - min(decay, (1 + step) / (_AVERAGE_START + step)))
        else:  # counts of batches, which no network reads
            torch._foreach_copy_(averages, current)

    average = AveragedModel(network, multi_avg_fn=follow, use_buffers=True)
    average.n_averaged.fill_(1)  # at 0 torch would copy the weights of the first step
    return average


def _groups(
    named: list[tuple[str, nn.Parameter]], options: TrainOptions, *, factor: float = 1.0
) -> list[dict[str, Any]]:
    """Group parameters by learning rate and decay; "peak" is the highest rate of a group."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        peak = options.learning_rate * factor * (options.encoder_factor if name.startswith(ENCODER_PREFIX) else 1.0)
        decay = options.weight_decay if _is_decayed(name, parameter) else 0.0
        found.setdefault((peak, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def _is_wide(name: str, parameter: nn.Parameter) -> bool:
    """Return whether a parameter is a matrix or kernel large enough for Muon."""
    return _is_decayed(name, parameter) and min(len(parameter), parameter[0].numel()) >= _MUON_LEAST


def _ordered(values: Tensor, *, like: Tensor) -> Tensor:
    """Return values (O, I, h, w) with axes in the order of the kernel's memory; a matrix is returned unchanged."""
    return values if like.is_contiguous() else values.movedim(1, -1)


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
