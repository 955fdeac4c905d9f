"""What a user asks of a fine-tuning becomes the options of a training, by way of a preset and defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

from ...engine.errors import InputError
from ..training.options import TrainOptions
from .held_out import JUDGE
from .presets import BY_NAME, PRESETS, WITH_FLAT, WITHOUT_FLAT, Preset, PresetName

_WARMUP_STEPS, _WARMUP_SHARE = 500, 0.3  # the share is of an epoch, so that more epochs can be asked for later
_MOST_BETWEEN = 1000  # steps between validations, and between saved states

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user asks for; None leaves it to the preset, to the data or to a default.

    Args:
        preset: Name of a preset.
        epochs: Times that as many images are seen as there are training pairs.
        batch: Images in a batch.
        size_px: Side of the square images.
        freeze: "encoder", "decoder", or the number of the encoder's first blocks.
        clean_share, variation, whole: As in PairSource.
        mix: Shares of the data sets, in their order.
        fold: (number from 1, number of folds) of a cross-validation by scenes; None for a single split, 80/20.
        learning_rate, encoder_factor, layer_decay, weight_decay, accumulate, warmup_steps, average_decay, lora_rank,
        planarity_weight, distillation_weight, nudge, recompute, bf16, seed, validate_every, save_every, keep_best,
        patience, judge, tensorboard: As in TrainOptions.
    """

    preset: PresetName | None = None
    epochs: int | None = None
    batch: int | None = None
    size_px: int | None = None
    freeze: str | None = None
    clean_share: float | None = None
    variation: float | None = None
    whole: bool | None = None
    mix: tuple[float, ...] | None = None
    fold: tuple[int, int] | None = None
    learning_rate: float | None = None
    encoder_factor: float | None = None
    layer_decay: float | None = None
    weight_decay: float | None = None
    accumulate: int | None = None
    warmup_steps: int | None = None
    average_decay: float | None = None
    lora_rank: int | None = None
    planarity_weight: float | None = None
    distillation_weight: float | None = None
    nudge: float | None = None
    recompute: bool | None = None
    bf16: bool | None = None
    seed: int | None = None
    validate_every: int | None = None
    save_every: int | None = None
    keep_best: int | None = None
    patience: int | None = None
    judge: str | None = None
    tensorboard: bool | None = None

    @property
    def chosen(self) -> Preset | None:
        """The preset.

        Raises:
            InputError: Its name is unknown.
        """
        if self.preset is not None and self.preset not in BY_NAME:
            raise InputError(f"preset {self.preset!r} found, expected one of {', '.join(PRESETS)}")
        return None if self.preset is None else BY_NAME[self.preset]


@dataclass(frozen=True, slots=True)
class Plan:
    """A training, decided.

    Args:
        options: Of the loop.
        epochs, batch, size_px, clean_share, variation, whole: As in Wishes.
        processes: That share each step.
    """

    options: TrainOptions
    epochs: int
    batch: int
    size_px: int
    clean_share: float | None
    variation: float
    whole: bool
    processes: int


def make_plan(
    wishes: Wishes, *, pairs: int, marked: int, size_px: int, processes: int = 1, recipe: TrainOptions | None = None
) -> Plan:
    """Decide a training.

    Args:
        wishes: Of the user; they go before the preset, and that before the defaults.
        pairs: Number of training pairs, 1 or more.
        marked: Number of them with a flat region; without any, planarity and distillation have weight 0 by default.
        size_px: Size of the images by default: that of the network's family.
        processes: Number of processes that share each step.
        recipe: With which the network was trained: the weights of its losses, and Muon; None for a published network.

    Raises:
        InputError: A wish is out of range, or contradicts another.
    """
    preset = wishes.chosen or (WITH_FLAT if marked else WITHOUT_FLAT)
    epochs, batch = _first(wishes.epochs, preset.epochs), _first(wishes.batch, preset.batch)
    side_px, accumulate = _first(wishes.size_px, size_px), _first(wishes.accumulate, preset.accumulate)
    for name, value in (("epochs", epochs), ("batch", batch), ("size", side_px), ("accumulate", accumulate)):
        if value < 1:
            raise InputError(f"{name} is {value}, expected 1 or more")
    an_epoch = math.ceil(pairs / (batch * accumulate * processes))
    freeze_encoder, freeze_decoder, freeze_blocks = read_freeze(wishes.freeze)
    usual = TrainOptions()
    recipe = recipe or usual
    options = TrainOptions(
        seed=_first(wishes.seed, usual.seed),
        steps=epochs * an_epoch,
        accumulate=accumulate,
        learning_rate=_first(wishes.learning_rate, preset.learning_rate),
        encoder_factor=_first(wishes.encoder_factor, preset.encoder_factor),
        muon_factor=recipe.muon_factor,
        weight_decay=_first(wishes.weight_decay, usual.weight_decay),
        warmup_steps=_first(wishes.warmup_steps, min(_WARMUP_STEPS, round(an_epoch * _WARMUP_SHARE))),
        average_decay=_first(wishes.average_decay, preset.average_decay),
        bf16=_first(wishes.bf16, usual.bf16),
        affine_weight=recipe.affine_weight,
        scaled_weight=recipe.scaled_weight,
        aligned_weight=recipe.aligned_weight,
        gradient_weight=recipe.gradient_weight,
        gradient_scales=recipe.gradient_scales,
        relative_weight=recipe.relative_weight,
        planarity_weight=_first(wishes.planarity_weight, preset.planarity_weight),
        distillation_weight=_first(wishes.distillation_weight, preset.distillation_weight),
        nudge=_first(wishes.nudge, usual.nudge),
        freeze_encoder=freeze_encoder,
        freeze_decoder=freeze_decoder,
        freeze_blocks=freeze_blocks,
        layer_decay=_first(wishes.layer_decay, usual.layer_decay),
        lora_rank=_first(wishes.lora_rank, usual.lora_rank),
        recompute=_first(wishes.recompute, preset.recompute),
        validate_every=_first(wishes.validate_every, min(an_epoch, _MOST_BETWEEN)),
        save_every=_first(wishes.save_every, min(an_epoch, _MOST_BETWEEN)),
        keep_best=_first(wishes.keep_best, usual.keep_best),
        judge=_first(wishes.judge, JUDGE),
        patience=preset.patience if wishes.patience is None else wishes.patience,
        tensorboard=_first(wishes.tensorboard, usual.tensorboard),
    )
    clean_share = preset.clean_share if wishes.clean_share is None else wishes.clean_share
    variation, whole = _first(wishes.variation, 0.0), _first(wishes.whole, False)
    return Plan(options, epochs, batch, side_px, clean_share, variation, whole, processes)


def read_freeze(text: str | None) -> tuple[bool, bool, int]:
    """Return whether the encoder is frozen, whether the decoder is, and how many of the encoder's first blocks are.

    Raises:
        InputError: The text is none of "encoder", "decoder" and a number.
    """
    if text is None:
        return False, False, 0
    if text in ("encoder", "decoder"):
        return text == "encoder", text == "decoder", 0
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"freeze {text!r} found, expected encoder, decoder, or the number of blocks from the first on")
    return False, False, int(text)


def _first(wish: T | None, otherwise: T) -> T:
    return otherwise if wish is None else wish
