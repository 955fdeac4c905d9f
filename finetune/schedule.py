"""From options to what moves the weights: the learning rate of every step, the optimisers, the moving average."""

from __future__ import annotations

import math
from collections.abc import Iterable

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


def build_optimisers(network: nn.Module, options: TrainOptions) -> list[torch.optim.Optimizer]:
    """Return the optimisers; each group remembers its highest rate as "peak".

    Vectors (norms, biases, gains) and tables (positions, class token) have no weight decay.
    """
    matrices, rest = _split(network, muon=options.optimiser == "muon")
    peak, encoder_peak = options.learning_rate, options.learning_rate * options.encoder_factor
    groups = []
    for encoder in (True, False):
        for decayed in (True, False):
            chosen = [p for name, p in rest if _is_encoder(name) is encoder and _is_decayed(name, p) is decayed]
            rate = encoder_peak if encoder else peak
            decay = options.weight_decay if decayed else 0.0
            if chosen:
                groups.append({"params": chosen, "lr": rate, "peak": rate, "weight_decay": decay})
    built: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, betas=options.betas)]
    if matrices:
        group = {"params": matrices, "lr": encoder_peak, "peak": encoder_peak}
        # Its steps are scaled to the size that AdamW's have, so one rate serves both.
        built.append(torch.optim.Muon([group], weight_decay=options.weight_decay, adjust_lr_fn="match_rms_adamw"))
    return built


def set_rate(optimisers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """Bring every group to a share of its highest rate."""
    for optimiser in optimisers:
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
            for name, value in self.weights.items():
                value.lerp_(current[name], 1 - decay)


def _split(network: nn.Module, *, muon: bool) -> tuple[list[nn.Parameter], list[tuple[str, nn.Parameter]]]:
    """Return the matrices of the encoder's blocks, where Muon is wanted, and all other parameters by name."""
    trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    matrices = [p for name, p in trained if muon and ".blocks." in name and p.ndim == 2]
    chosen = {id(parameter) for parameter in matrices}
    return matrices, [(name, parameter) for name, parameter in trained if id(parameter) not in chosen]


def _is_encoder(name: str) -> bool:
    return name.startswith(ENCODER_PREFIX)


def _is_decayed(name: str, parameter: nn.Parameter) -> bool:
    return parameter.ndim >= 2 and not name.endswith(("pos_embed", "_token"))
