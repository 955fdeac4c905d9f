"""The options of a training, with their defaults and limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from typing import Annotated, Any

from ...engine.errors import DepthrtError, InputError
from ...engine.system.field_types import Count, Limit, Name, NotNegative, Positive, Range, Share
from ...engine.system.records import Mismatch, read_record
from .losses import GRADIENT_SCALES, SILOG_FOCUS

# Options that may change when a training is resumed: they decide how long and how often, not what is learned.
RESUMABLE = (
    "steps",
    "hold_steps",
    "judge",
    "validate_every",
    "save_every",
    "keep_best",
    "patience",
    "tensorboard",
    "recompute",
)

BelowOne = Annotated[float, Limit(lambda value: bool(0 <= value < 1), "from 0 to below 1")]
Step = Annotated[int, Range(0, 1 << 40)]
Interval = Annotated[int, Range(1, 1 << 40)]  # in steps
Seed = Annotated[int, Limit(lambda value: bool(0 <= value < 1 << 63), "from 0 to below 2**63")]


@dataclass(frozen=True, slots=True)
class _Options:
    """The fields of TrainOptions with their limits, as read_record reads them."""

    seed: Seed = 0
    steps: Interval = 20_000
    accumulate: Count = 1
    learning_rate: Positive = 5e-5
    encoder_factor: NotNegative = 0.1
    muon_factor: NotNegative = 0.0
    weight_decay: NotNegative = 0.01
    betas: tuple[BelowOne, BelowOne] = (0.9, 0.999)
    warmup_steps: Step = 500
    hold_steps: Step = 0
    decay_power: NotNegative = 0.9
    clip_norm: Positive = 1.0
    average_decay: BelowOne = 0.999
    bf16: bool = True
    affine_weight: NotNegative = 1.0
    scaled_weight: NotNegative = 0.0
    aligned_weight: NotNegative = 0.0
    gradient_weight: NotNegative = 2.0
    gradient_scales: Count = GRADIENT_SCALES
    relative_weight: NotNegative = 0.0
    trim: BelowOne = 0.0
    silog_focus: Share = SILOG_FOCUS
    planarity_weight: NotNegative = 0.0
    distillation_weight: NotNegative = 0.0
    nudge: BelowOne = 0.0
    freeze_encoder: bool = False
    freeze_decoder: bool = False
    freeze_blocks: Annotated[int, Range(0, 1000)] = 0
    layer_decay: Annotated[float, Limit(lambda value: bool(0 < value <= 1), "above 0 and up to 1")] = 1.0
    lora_rank: Annotated[int, Range(0, 1024)] = 0
    recompute: bool = False
    validate_every: Interval = 500
    save_every: Interval = 500
    keep_best: Count = 3
    judge: Name = "abs_rel"
    patience: Count | None = None
    tensorboard: bool = False

    def check(self) -> None:
        """Raise Mismatch if the rate never falls, or if nothing is trained."""
        if self.hold_steps >= self.steps:
            raise Mismatch(".hold_steps", f"is {self.hold_steps}, expected below the {self.steps} steps")
        if self.freeze_encoder and self.freeze_decoder:
            raise Mismatch(".freeze_decoder", "is true and so is freeze_encoder, expected one of them: nothing is left")
        if self.freeze_encoder and self.lora_rank:
            raise Mismatch(".lora_rank", f"is {self.lora_rank} and freeze_encoder is true, expected one of them")


@dataclass(frozen=True, slots=True)
class TrainOptions(_Options):
    """Options of a training. The defaults suit the fine-tuning of a published network.

    Args:
        seed: Seed of all random numbers of the loop.
        steps: Number of optimiser steps.
        accumulate: Batches in a step, on each process.
        learning_rate: Peak learning rate of the head.
        encoder_factor: Learning rate of the encoder over the head's. Source: Depth Anything V2, 5e-6 against 5e-5.
        muon_factor: Learning rate of Muon over that of AdamW for matrices and kernels; 0 moves them by AdamW. From
            scratch, Muon learns more from each image. Source: Jordan et al. 2024; Liu et al. 2025.
        weight_decay: Decay of matrices and kernels; vectors have none.
        betas: Betas of AdamW.
        warmup_steps: Steps over which the rate rises linearly.
        hold_steps: Step after which the rate falls; 0 for at once.
        decay_power: The rate falls with this power of the remaining share of steps. Source: Depth Anything V2, 0.9.
        clip_norm: Largest length of the gradient over all weights; infinity for no clipping.
        average_decay: Decay of the moving average of the weights, which is validated and kept.
        bf16: Run the network in bfloat16 by autocast; weights and losses stay float32.
        affine_weight: Weight of the loss of inverse depth that ignores scale and shift.
        scaled_weight: Weight of the loss that fixes scale and shift. A training from scratch begins with it; it would
            move the level of a published network to a mean of 1.
        aligned_weight: Weight of the relative error of depth after the best scale and shift of each image, which is
            close to abs_rel; use it beside scaled_weight.
        gradient_weight: Weight of gradient matching in these three losses.
        gradient_scales: Number of sizes at which gradients are matched, each half of the previous size.
        relative_weight: Weight of the relative difference in the loss of scaled_weight.
        trim: Share of each image's pixels left out of the loss of affine_weight.
        silog_focus: Weight of the squared mean in the loss of metres: 1 ignores a wrong scale.
        planarity_weight: Weight of the planarity loss in flat regions.
        distillation_weight: Weight of the difference from the starting network outside flat regions; if it is not 0,
            true depth counts inside them alone.
        nudge: Share of depth by which the starting network's answers are moved towards the truth before they are kept.
        freeze_encoder, freeze_decoder: Leave all weights of this part as they are.
        freeze_blocks: Number of the encoder's first blocks that stay as they are, with what comes before them.
        layer_decay: Learning rate of a block of the encoder over that of the next block; 1 for equal rates.
        lora_rank: Rank of the updates that LoRA learns for the encoder's matrices, which stay as they are themselves;
            0 trains the encoder in full. Source: Hu et al. 2021.
        recompute: Compute the encoder's blocks and the head's fusions again in the backward pass: less memory for
            more time.
        validate_every: Steps between validations.
        save_every: Steps between saved states.
        keep_best: Number of best checkpoints kept.
        judge: Name of the figure of the validation by which checkpoints are ranked; lower is better.
        patience: Validations without a better score after which training stops; None for no early stop.
        tensorboard: Write figures to TensorBoard too.

    Raises:
        InputError: An option has a wrong type or is out of range.
    """

    def __post_init__(self) -> None:
        given = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        checked = _read(given, name="options", remedy="correct the option", failure=InputError)
        for name in given:
            object.__setattr__(self, name, getattr(checked, name))

    def check_resumable(self, before: TrainOptions) -> None:
        """Refuse to resume a training with options that change what it learns.

        Raises:
            InputError: Names the first such option.
        """
        for field in fields(self):
            old, given = getattr(before, field.name), getattr(self, field.name)
            if old != given and field.name not in RESUMABLE:
                raise InputError(
                    f"{field.name} is {given} and was {old} when the run began; give {old} again or start a new run"
                )


def read_options(found: object, *, name: str, remedy: str, failure: type[DepthrtError]) -> TrainOptions:
    """Return the options that a training state holds; see read_record."""
    checked = _read(found, name=name, remedy=remedy, failure=failure)
    return TrainOptions(**{field.name: getattr(checked, field.name) for field in fields(checked)})


def _read(found: object, *, name: str, remedy: str, failure: type[DepthrtError]) -> _Options:
    """Read a record whose clip_norm may be infinite, which read_record refuses."""
    if not isinstance(found, dict) or found.get("clip_norm") != math.inf:
        return read_record(_Options, found, name=name, remedy=remedy, failure=failure)
    record = read_record(_Options, {**found, "clip_norm": 1.0}, name=name, remedy=remedy, failure=failure)
    return replace(record, clip_norm=math.inf)


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a number of numpy as a number of Python, because a saved state holds no others."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
