"""From options to what moves the weights: the learning rate of every step, the optimiser, the moving average."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .options import TrainOptions

ENCODER_PREFIX = "pretrained."  # of the encoder's parameters, by the published names
UNUSED = ("pretrained.mask_token", "depth_head.scratch.refinenet4.resConfUnit1.")  # in every file, in no forward pass
_AVERAGE_START = 10.0  # the average follows closely at first: its decay is at most (1 + step) / (10 + step)


def rate_factor(step: int, options: TrainOptions) -> float:
    """Return the learning rate of a step (from 0) over the highest: a line up, level, then a power of what remains."""
    rising = min(1.0, (step + 1) / options.warmup_steps) if options.warmup_steps else 1.0
    falling = max(0, step - options.hold_steps) / (options.steps - options.hold_steps)
    return rising * math.pow(max(0.0, 1 - falling), options.decay_power)


def freeze_unused(network: nn.Module) -> None:
    """Take the parameters that no forward pass reaches out of training."""
    for name, parameter in network.named_parameters():
        if name.startswith(UNUSED):
            parameter.requires_grad_(False)


def build_optimiser(network: nn.Module, options: TrainOptions) -> torch.optim.Optimizer:
    """Return AdamW; each group remembers its highest rate as "peak".

    Vectors (norms, biases, gains) and tables (positions, class token) have no weight decay.
    """
    peak, encoder_peak = options.learning_rate, options.learning_rate * options.encoder_factor
    trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    groups = []
    for encoder in (True, False):
        for decayed in (True, False):
            chosen = [p for name, p in trained if _is_encoder(name) is encoder and _is_decayed(name, p) is decayed]
            rate = encoder_peak if encoder else peak
            decay = options.weight_decay if decayed else 0.0
            if chosen:
                groups.append({"params": chosen, "lr": rate, "peak": rate, "weight_decay": decay})
    return torch.optim.AdamW(groups, betas=options.betas, fused=True)


def set_rate(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Bring every group to a share of its highest rate."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor


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


def _is_encoder(name: str) -> bool:
    return name.startswith(ENCODER_PREFIX)


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
