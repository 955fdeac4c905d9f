"""What a training is told: every number of it, with its default."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ...engine.errors import InputError
from .losses import GRADIENT_SCALES

# Options that may change when a run is taken up again: they say how long and how often, not what is learned from.
RESUMABLE = ("steps", "hold_steps", "judge", "validate_every", "save_every", "keep_best", "patience", "tensorboard")


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Options of one training. The defaults suit the fine-tuning of a published network.

    Args:
        seed: Of everything that is random in the loop.
        steps: Number of optimiser steps.
        accumulate: Batches that make one step, on each process.
        learning_rate: Of the head, at its highest.
        encoder_factor: The encoder's rate over the head's. Source: Depth Anything V2, 5e-6 against 5e-5.
        muon_factor: The rate of matrices and kernels over what AdamW's would be, moved by Muon instead; 0 leaves them
            to AdamW. From scratch it learns more of each image. Source: Jordan et al. 2024; Liu et al. 2025.
        weight_decay: Of matrices and kernels; vectors have none.
        betas: Of AdamW.
        warmup_steps: The rate rises in a line over these.
        hold_steps: After them the rate starts to fall; 0 for at once.
        decay_power: The rate falls with this power of what remains. Source: Depth Anything V2, 0.9.
        clip_norm: Longest gradient, over all weights.
        average_decay: Of the moving average of the weights, which is what is validated and kept.
        bf16: Whether the network's arithmetic is bfloat16 by autocast; weights and losses are float32.
        affine_weight: Of the loss of inverse depth that forgives scale and shift.
        scaled_weight: Of the one that settles them, which a training from scratch begins with; it would pull a
            published network, whose level is its own, to a mean of 1.
        aligned_weight: Of the relative error of depth after the best scale and shift of each image, which is how it
            will be judged; beside the one before.
        gradient_weight: Of gradient matching in all three.
        gradient_scales: Sizes at which slopes are matched, each half of the one before.
        relative_weight: Of the part of scaled_weight's that weighs errors by distance.
        trim: Share of each image's pixels left out of affine_weight's.
        silog_focus: Share of a wrong scale that the loss of metres forgives.
        validate_every: Steps between validations.
        save_every: Steps between saved states.
        keep_best: Number of best checkpoints kept.
        judge: Name of the validation figure that decides, the lower the better.
        patience: Validations without a better one after which training stops; None for never.
        tensorboard: Whether figures go to TensorBoard as well.
    """

    seed: int = 0
    steps: int = 20_000
    accumulate: int = 1
    learning_rate: float = 5e-5
    encoder_factor: float = 0.1
    muon_factor: float = 0.0
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    warmup_steps: int = 500
    hold_steps: int = 0
    decay_power: float = 0.9
    clip_norm: float = 1.0
    average_decay: float = 0.999
    bf16: bool = True
    affine_weight: float = 1.0
    scaled_weight: float = 0.0
    aligned_weight: float = 0.0
    gradient_weight: float = 2.0
    gradient_scales: int = GRADIENT_SCALES
    relative_weight: float = 0.0
    trim: float = 0.0
    silog_focus: float = 0.5
    validate_every: int = 500
    save_every: int = 500
    keep_best: int = 3
    judge: str = "abs_rel"
    patience: int | None = None
    tensorboard: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
                self._convert(field.name, int if isinstance(field.default, int) else float)
        for name in (
            "steps",
            "accumulate",
            "gradient_scales",
            "validate_every",
            "save_every",
            "keep_best",
            "clip_norm",
        ):
            self._check(name, lambda value: value > 0, "more than 0")
        self._check("learning_rate", lambda value: 0 < value < math.inf, "more than 0 and finite")
        for name in (
            "warmup_steps",
            "hold_steps",
            "encoder_factor",
            "muon_factor",
            "weight_decay",
            "decay_power",
            "affine_weight",
            "scaled_weight",
            "aligned_weight",
            "gradient_weight",
            "relative_weight",
        ):
            self._check(name, lambda value: 0 <= value < math.inf, "0 or more and finite")
        for name in ("average_decay", "trim"):
            self._check(name, lambda value: 0 <= value < 1, "0 or more and below 1")
        self._check("silog_focus", lambda value: 0 <= value <= 1, "0 to 1")
        self._check("betas", _are_betas, "two numbers from 0 to below 1")
        self._check("seed", lambda value: 0 <= value < 2**63, "0 or more and below 2**63")
        self._check("hold_steps", lambda value: value < self.steps, f"below the {self.steps} steps")
        self._check("patience", lambda value: value is None or value > 0, "more than 0, or None")

    def _convert(self, name: str, kind: type[int] | type[float]) -> None:
        """Make a number, which may be numpy's, one of Python's: a saved state holds no others."""
        value = getattr(self, name)
        try:
            plain = operator.index(value) if kind is int else float(value)
        except (TypeError, ValueError):
            expected = "a whole number" if kind is int else "a number"
            raise InputError(f"{name} is {value!r}, expected {expected}; correct the option") from None
        object.__setattr__(self, name, plain)

    def _check(self, name: str, fine: Callable[[Any], bool], expected: str) -> None:
        value = getattr(self, name)
        if not fine(value):
            raise InputError(f"{name} is {value}, expected {expected}; correct the option")

    def check_resumable(self, before: TrainOptions) -> None:
        """Refuse to take up a run with options that would make it another run.

        Raises:
            InputError: Names the first such option.
        """
        for field in fields(self):
            old, given = getattr(before, field.name), getattr(self, field.name)
            if old != given and field.name not in RESUMABLE:
                raise InputError(
                    f"{field.name} is {given} and was {old} when the run began; give {old} again or start a new run"
                )


def _are_betas(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(0 <= one < 1 for one in value)
