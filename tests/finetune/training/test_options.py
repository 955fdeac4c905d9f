"""Options that make no sense are refused by name, and a resumed training keeps those that matter."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.training.options import RESUMABLE, TrainOptions


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"steps": 0}, "steps is 0, expected more than 0; correct the option"),
        ({"learning_rate": -1.0}, r"learning_rate is -1\.0, expected more than 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1, expected 0 or more"),
        ({"average_decay": 1.0}, r"average_decay is 1\.0, expected 0 or more and below 1"),
        ({"steps": 10, "hold_steps": 10}, "hold_steps is 10, expected below the 10 steps"),
        ({"patience": 0}, "patience is 0, expected more than 0, or None"),
        ({"decay_power": -1.0}, r"decay_power is -1\.0, expected 0 or more"),
        ({"learning_rate": math.inf}, "learning_rate is inf, expected more than 0 and finite"),
        ({"encoder_factor": math.nan}, "encoder_factor is nan, expected 0 or more"),
        ({"steps": 2.5}, r"steps is 2\.5, expected a whole number"),
        ({"betas": (0.9, 1.0)}, r"betas is \(0\.9, 1\.0\), expected two numbers from 0 to below 1"),
        ({"betas": (0.9,)}, r"betas is \(0\.9,\), expected two"),
        ({"learning_rate": None}, "learning_rate is None, expected a number"),
        ({"betas": 0.9}, r"betas is 0\.9, expected two numbers"),
        ({"seed": 2**70}, "seed is 1180591620717411303424, expected 0 or more and below"),
        ({"silog_focus": 2.0}, r"silog_focus is 2\.0, expected 0 to 1"),
    ],
)
def test_impossible_options_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainOptions(**bad)


def test_numbers_of_numpy_become_plain_ones() -> None:
    options = TrainOptions(steps=np.int64(1), learning_rate=np.float64(1e-3), weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    assert (type(options.steps), type(options.learning_rate), type(options.weight_decay)) == (int, float, float)
    assert options.weight_decay == 0.5


def test_a_gradient_may_be_of_any_length() -> None:
    assert TrainOptions(clip_norm=math.inf).clip_norm == math.inf


@pytest.mark.parametrize("name", [field.name for field in fields(TrainOptions)])
def test_a_resumed_training_has_the_options_that_decide_what_is_learned(name: str) -> None:
    other: dict[str, Any] = {"betas": (0.5, 0.5), "judge": "rmse", "patience": 7, "bf16": False, "tensorboard": True}
    before = TrainOptions()
    after = replace(before, **{name: other.get(name, 0.25 if isinstance(getattr(before, name), float) else 7)})
    assert after != before
    if name in RESUMABLE:
        after.check_resumable(before)
    else:
        with pytest.raises(
            InputError, match=rf"{name} is .* and was .* when the run began; give .* again or start a new"
        ):
            after.check_resumable(before)
