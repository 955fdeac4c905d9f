"""Turns options into learning rates, the optimisers AdamW and Muon, and the moving average of weights."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..adapt.freeze import block_of, is_encoder
from ..adapt.lora import is_update
from .options import TrainOptions

_NETWORK = "network."  # prefix of the network's parameters in an objective
_MUON_LEAST = 32  # rows or columns of the smallest matrix that Muon moves
_LORA_FACTOR = 4.0  # rate of LoRA's updates over the head's: 2e-4 at the default rate, as is common for LoRA
_MUON_STEPS = 4  # of Newton-Schulz; each costs a fifth of torch's default, 5
_AVERAGE_START = 10.0  # the decay of the average is at most (1 + step) / (10 + step), so that it follows fast at first


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
    """AdamW, with learning rates for the encoder's blocks, and Muon for matrices and kernels if muon_factor is not 0.

    Vectors (norms, biases, gains) and tables have no weight decay.

    Args:
        objective: Its trainable parameters are moved.
        options: Rates and decay.
    """

    def __init__(self, objective: nn.Module, options: TrainOptions) -> None:
        named = ((name.removeprefix(_NETWORK), parameter) for name, parameter in objective.named_parameters())
        trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
        blocks = 1 + max((block_of(name, -1) for name, _ in trained), default=-1)
        for_muon = [entry for entry in trained if options.muon_factor and _is_wide(*entry)]
        rest = [entry for entry in trained if not (options.muon_factor and _is_wide(*entry))]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(_groups(rest, options, blocks), betas=options.betas, fused=True)
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
                    _groups(matrices, options, blocks, factor=options.muon_factor),
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


class MovingAverage:
    """The exponential moving average of a network's trained weights and of its buffers.

    Call `follow` after each step. The first steps have a smaller decay.

    Args:
        network: The average starts at its weights. Weights that are frozen are shared with the average.
        decay: Largest decay. With 0 the average is the network itself, which takes no memory.

    Attributes:
        module: The network with the averages.
        count: Number of weights averaged so far, the first ones included.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        shared = {id(parameter): parameter for parameter in network.parameters() if not parameter.requires_grad}
        self.module = copy.deepcopy(network, shared) if decay else network
        self.count = 1
        self._decay = decay

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """Move the averages towards a network's weights."""
        pairs = [
            (average, now)
            for average, now in zip(_values(self.module), _values(network), strict=True)
            if average is not now
        ]
        share = 1 - min(self._decay, (1 + self.count) / (_AVERAGE_START + self.count))
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        if floats:
            averages, current = zip(*floats, strict=True)
            torch._foreach_lerp_(averages, current, share)
        for average, now in pairs:
            if not average.is_floating_point():
                average.copy_(now)  # counts of batches, which no network reads
        self.count += 1


def _values(network: nn.Module) -> Iterator[Tensor]:
    return itertools.chain(network.parameters(), network.buffers())


def _groups(
    named: list[tuple[str, nn.Parameter]], options: TrainOptions, blocks: int, *, factor: float = 1.0
) -> list[dict[str, Any]]:
    """Group parameters by learning rate and decay; "peak" is the highest rate of a group."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        peak = options.learning_rate * factor * _share_of_rate(name, options, blocks)
        decay = options.weight_decay if _is_decayed(name, parameter) else 0.0
        found.setdefault((peak, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def _share_of_rate(name: str, options: TrainOptions, blocks: int) -> float:
    """Return the learning rate of a parameter over the head's."""
    if not is_encoder(name):
        return 1.0
    share = _LORA_FACTOR if is_update(name) else options.encoder_factor
    return share * options.layer_decay ** max(0, blocks - 1 - block_of(name, blocks))


def _is_wide(name: str, parameter: nn.Parameter) -> bool:
    """Return whether a parameter is a matrix or kernel large enough for Muon."""
    return _is_decayed(name, parameter) and min(len(parameter), parameter[0].numel()) >= _MUON_LEAST


def _ordered(values: Tensor, *, like: Tensor) -> Tensor:
    """Return values (O, I, h, w) with axes in the order of the kernel's memory; a matrix is returned unchanged."""
    return values if like.is_contiguous() else values.movedim(1, -1)


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
