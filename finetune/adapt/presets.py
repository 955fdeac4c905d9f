"""Presets: the parameters of the study that depthrt began with, and where they were corrected.

Its images had 518x518 px, which is the default size of Depth Anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

PresetName = Literal["mirror", "indoor-art", "outdoor-art"]
PRESETS: tuple[PresetName, ...] = get_args(PresetName)

EPOCHS = 48
BATCH = 1
HEAD_RATE, ENCODER_FACTOR = 5e-5, 0.1  # of the study: 5e-6 for the encoder
PLANARITY, DISTILLATION = 10.0, 14.0  # of shares of depth; measured on the small model, see docs/finetune.md
_CORRECTIONS = (
    "the whole checkpoint is loaded: upstream's trainer loads the encoder alone, and the decoder begins from random "
    "weights",
    f"mirrors and pictures have the depth of their plane, with planarity weight {PLANARITY:g}: the study's edit bent "
    "them towards the nearest depth of the scene",
    f"distillation weight {DISTILLATION:g}, and a quarter of the frames has no flat region: the study saw edited "
    "frames alone, and its networks unlearned backgrounds",
    "scenes are split 80/20, and the best checkpoint on the held-out ones is kept: the study measured nothing",
    "a step has 4 batches of 1, rates rise over up to 500 steps, and gradients are clipped at 1: the study moved all "
    "weights after each image",
    "8 validations without a better score end the training: 48 epochs are the most, not the aim",
    "bfloat16, and blocks are computed again in the backward pass: a step of ViT-L at 518 takes 7.1 GB, not 10.8",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """Parameters of a training.

    Args:
        title: What it is for.
        max_depth_m: Upper end of the depth of a metric network.
        epochs, batch: As in Plan.
        learning_rate, encoder_factor, accumulate, recompute, average_decay, planarity_weight, distillation_weight,
            patience: As in TrainOptions.
        clean_share: As in PairSource.
        differences: From the study's parameters, a line each.
    """

    title: str
    max_depth_m: float
    epochs: int = EPOCHS
    batch: int = BATCH
    learning_rate: float = HEAD_RATE
    encoder_factor: float = ENCODER_FACTOR
    accumulate: int = 4
    recompute: bool = True
    average_decay: float = 0.0
    planarity_weight: float = PLANARITY
    distillation_weight: float = DISTILLATION
    clean_share: float | None = 0.25
    patience: int | None = 8
    differences: tuple[str, ...] = _CORRECTIONS


BY_NAME: Mapping[PresetName, Preset] = {
    "mirror": Preset("mirrors in rooms, as in Hypersim", 20.0),
    "indoor-art": Preset("pictures in rooms, as in Hypersim", 20.0),
    "outdoor-art": Preset("pictures in streets, as in Virtual KITTI 2", 80.0),
}

# Without a preset: of data with flat regions, and of other data, which are learned as they are.
WITH_FLAT = Preset(
    "", math.inf, 10, 2, accumulate=1, recompute=False, average_decay=0.999, patience=None, differences=()
)
WITHOUT_FLAT = replace(WITH_FLAT, planarity_weight=0.0, distillation_weight=0.0, clean_share=None)
