"""From options to what moves the weights: the learning rate of every step, the optimisers, the moving average."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from .muon import Muon
from .options import TrainOptions

ENCODER_PREFIX = "pretrained."  # of the encoder's parameters, by the published names
_NETWORK = "network."  # what an objective calls it
_AVERAGE_START = 10.0  # the average follows closely at first: its decay is at most (1 + step) / (10 + step)


def rate_factor(step: int, options: TrainOptions) -> float:
    """Return the learning rate of a step (from 0) over the highest: a line up, level, then a power of what remains."""
    rising = min(1.0, (step + 1) / options.warmup_steps) if options.warmup_steps else 1.0
    falling = max(0, step - options.hold_steps) / (options.steps - options.hold_steps)
    return rising * math.pow(max(0.0, 1 - falling), options.decay_power)


class Optimisers:
    """AdamW, and Muon beside it for the matrices of the encoder's blocks where that is wanted, moved as one.

    Vectors (norms, biases, gains) and tables (positions, class token) have no weight decay.

    Args:
        objective: Its trainable parameters are moved.
        options: Rates and decay.
    """

    def __init__(self, objective: nn.Module, options: TrainOptions) -> None:
        named = ((name.removeprefix(_NETWORK), parameter) for name, parameter in objective.named_parameters())
        trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
        matrices = [named for named in trained if options.muon_factor and _is_matrix(*named)]
        rest = [named for named in trained if not (options.muon_factor and _is_matrix(*named))]
        self._parts: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(_groups(rest, options, factor=1.0), betas=options.betas, fused=True)
        ]
        if matrices:
            groups = _groups(matrices, options, factor=options.muon_factor)
            self._parts.append(Muon(groups))

    @property
    def groups(self) -> list[dict[str, Any]]:
        """All parameter groups, those of AdamW first."""
        return [group for part in self._parts for group in part.param_groups]

    def set_rate(self, factor: float) -> None:
        """Bring every group to a share of its highest rate."""
        for group in self.groups:
            group["lr"] = group["peak"] * factor

    def step(self) -> None:
        """Move the parameters and forget the gradients."""
        for part in self._parts:
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """Return what load_state_dict takes."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Go on from a state of the same parameters and options."""
        for part, state in zip(self._parts, states, strict=True):
            part.load_state_dict(state)


class Average:
    """Exponential moving average of a network's weights.

    Args:
        network: The average starts at its weights.
        decay: Of the average once it is under way.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self.weights: dict[str, Tensor] = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network: nn.Module, step: int) -> None:
        """Move the average towards the network's weights after a step."""
        decay = min(self._decay, (1 + step) / (_AVERAGE_START + step))
        current = network.state_dict()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.weights.values()), [current[name] for name in self.weights], 1 - decay)


def _groups(named: list[tuple[str, nn.Parameter]], options: TrainOptions, *, factor: float) -> list[dict[str, Any]]:
    """Sort parameters by rate and decay; each group remembers its highest rate as "peak"."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        peak = options.learning_rate * factor * (options.encoder_factor if name.startswith(ENCODER_PREFIX) else 1.0)
        decay = options.weight_decay if _is_decayed(name, parameter) else 0.0
        found.setdefault((peak, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def _is_matrix(name: str, parameter: nn.Parameter) -> bool:
    return name.startswith(f"{ENCODER_PREFIX}blocks.") and parameter.ndim == 2


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
