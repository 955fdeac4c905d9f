"""From options to what moves the weights: the learning rate of every step, the optimisers, the moving average."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from .options import TrainOptions

ENCODER_PREFIX = "pretrained."  # of the encoder's parameters, by the published names
_NETWORK = "network."  # what an objective calls it
_AVERAGE_START = 10.0  # the average follows closely at first: its decay is at most (1 + step) / (10 + step)


def rate_factor(step: int, options: TrainOptions) -> float:
    """Return the learning rate of a step (from 0) over the highest: a line up, level, then a power of what remains."""
    rising = min(1.0, (step + 1) / options.warmup_steps) if options.warmup_steps else 1.0
    falling = max(0, step - options.hold_steps) / (options.steps - options.hold_steps)
    return rising * math.pow(max(0.0, 1 - falling), options.decay_power)


class Optimiser:
    """AdamW with a rate of its own for the encoder; vectors (norms, biases, gains) and tables have no weight decay.

    Args:
        objective: Its trainable parameters are moved.
        options: Rates and decay.
    """

    def __init__(self, objective: nn.Module, options: TrainOptions) -> None:
        named = ((name.removeprefix(_NETWORK), parameter) for name, parameter in objective.named_parameters())
        groups = _groups([(name, parameter) for name, parameter in named if parameter.requires_grad], options)
        self._adamw = torch.optim.AdamW(groups, betas=options.betas, fused=True)

    @property
    def groups(self) -> list[dict[str, Any]]:
        """All parameter groups."""
        return self._adamw.param_groups

    def set_rate(self, factor: float) -> None:
        """Bring every group to a share of its highest rate."""
        for group in self.groups:
            group["lr"] = group["peak"] * factor

    def step(self) -> None:
        """Move the parameters and forget the gradients."""
        self._adamw.step()
        self._adamw.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return what load_state_dict takes."""
        return self._adamw.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state of the same parameters and options."""
        self._adamw.load_state_dict(state)


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
        moving = [name for name, value in self.weights.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([self.weights[name] for name in moving], [current[name] for name in moving], 1 - decay)
            for name in self.weights.keys() - moving:  # numbers of batches, which no network uses
                self.weights[name].copy_(current[name])


def _groups(named: list[tuple[str, nn.Parameter]], options: TrainOptions) -> list[dict[str, Any]]:
    """Sort parameters by rate and decay; each group remembers its highest rate as "peak"."""
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named:
        peak = options.learning_rate * (options.encoder_factor if name.startswith(ENCODER_PREFIX) else 1.0)
        decay = options.weight_decay if _is_decayed(name, parameter) else 0.0
        found.setdefault((peak, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
